package main

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/alecthomas/kong"
	kongyaml "github.com/alecthomas/kong-yaml"

	"upnext"
)

// Settings are every setting there is: a field is a flag, a variable UPNEXT_…
// and a key of the YAML file at once, in that order of rank.
type Settings struct {
	Config      kong.ConfigFlag `help:"Read settings from this YAML file." type:"existingfile" placeholder:"FILE"`
	DataDir     string          `help:"Where everything is kept." default:"${data_dir}" env:"UPNEXT_DATA_DIR" placeholder:"DIR"`
	Listen      string          `help:"Address to serve on. Without keys only a loopback address is taken." default:"127.0.0.1:8080" env:"UPNEXT_LISTEN"`
	Log         string          `help:"What to log: debug, info, warn or error." enum:"debug,info,warn,error" default:"info" env:"UPNEXT_LOG"`
	DebugListen string          `help:"Loopback address to serve profiles of the process on, for go tool pprof; none by default." env:"UPNEXT_DEBUG_LISTEN" placeholder:"ADDRESS"`
	JSON        bool            `help:"Print results as JSON." name:"json" env:"UPNEXT_JSON"`

	Database string `help:"Where items, events, viewers and jobs are kept: sqlite:FILE or postgres://USER@HOST/NAME. Default: in the data directory." env:"UPNEXT_DATABASE" placeholder:"URL"`
	Index    string `help:"Where vectors are searched: rabitq:DIR or milvus://HOST:PORT. Default: in the data directory." env:"UPNEXT_INDEX" placeholder:"URL"`
	TokenKey string `help:"Secret that signs recommendations' tokens, 32 characters or more; servers that share a database share it. Default: made once and kept in the data directory." env:"UPNEXT_TOKEN_KEY" placeholder:"KEY"`

	SecretKeys      []string `help:"Keys that may do everything: KEY or KEY@TENANT, separated by commas." env:"UPNEXT_SECRET_KEYS" placeholder:"KEY"`
	PublishableKeys []string `help:"Keys that may ask for recommendations and send events; may sit in a web page." env:"UPNEXT_PUBLISHABLE_KEYS" placeholder:"KEY"`
	SecretRate      float64  `help:"Requests a second that each secret key may make of this server; 0 is no limit." default:"0" env:"UPNEXT_SECRET_RATE" placeholder:"N"`
	PublishableRate float64  `help:"Requests a second that each publishable key may make, likewise: of all pages together." default:"0" env:"UPNEXT_PUBLISHABLE_RATE" placeholder:"N"`
	AllowOrigins    []string `help:"Origins whose pages may call with a publishable key (CORS)." env:"UPNEXT_ALLOW_ORIGINS" placeholder:"ORIGIN"`

	TextEncoder  string `help:"What makes vectors of texts: builtin, or ENGINE:ADDRESS[,ADDRESS…][?PARAMETERS]; engines tei, hf, openai, infinity, vllm, custom." default:"builtin" env:"UPNEXT_TEXT_ENCODER" placeholder:"ENCODER"`
	ImageEncoder string `help:"What makes vectors of pictures: builtin, infinity, vllm or custom, likewise." default:"builtin" env:"UPNEXT_IMAGE_ENCODER" placeholder:"ENCODER"`

	Objects    string        `help:"Where objects are kept: file:DIR, or s3://BUCKET/PREFIX?endpoint=http://HOST:9000 with credentials in the environment. Default: a folder of the data directory." env:"UPNEXT_OBJECTS" placeholder:"URL"`
	S3Sources  []string      `help:"Buckets that imports may read, by prefix: s3://BUCKET/PREFIX?endpoint=…&tenant=…, separated by commas." name:"s3-sources" env:"UPNEXT_S3_SOURCES" placeholder:"URL"`
	Watch      []string      `help:"Sources in buckets that are kept up to date: s3://BUCKET/PREFIX?endpoint=…&tenant=…&on_missing=keep|hide|delete&format=…, separated by commas." env:"UPNEXT_WATCH" placeholder:"URL"`
	WatchEvery time.Duration `help:"From one listing of a watched source to the next; news come by POST /v1/hooks/minio meanwhile." default:"15m" env:"UPNEXT_WATCH_EVERY"`
	WatchARN   string        `help:"Ask the watched buckets' server to send news to this target: arn:minio:sqs::NAME:webhook." name:"watch-arn" env:"UPNEXT_WATCH_ARN" placeholder:"ARN"`
	HookToken  string        `help:"Token that opens POST /v1/hooks/minio to bucket notifications; without one there is no such route." env:"UPNEXT_HOOK_TOKEN" placeholder:"TOKEN"`

	ArchiveEvery   time.Duration `help:"How often events and answers are archived as Parquet in the object store; 0 is never." default:"0s" env:"UPNEXT_ARCHIVE_EVERY"`
	ArchiveKey     string        `help:"Secret of the archive's pseudonyms, 32 characters or more; never to be changed. Default: made once and kept in the data directory." env:"UPNEXT_ARCHIVE_KEY" placeholder:"KEY"`
	ArchiveContext []string      `help:"Keys of events' context that the archive keeps." env:"UPNEXT_ARCHIVE_CONTEXT" placeholder:"KEY"`
	EventKeep      int           `help:"Events of each viewer that stay in the database once archived, at least those that taste is made of; 0 keeps all." default:"0" env:"UPNEXT_EVENT_KEEP"`
	EventDays      int           `help:"Days that all events stay in the database, at least 2: so long is a repeated event known as one." default:"30" env:"UPNEXT_EVENT_DAYS"`

	TrainEvery   time.Duration `help:"How often models are trained on the events; 0 is only when asked (upnext train)." default:"0s" env:"UPNEXT_TRAIN_EVERY"`
	TrainPromote string        `help:"Answer by newly trained models at once if they beat popularity (auto), or when asked (manual)." enum:"auto,manual" default:"auto" env:"UPNEXT_TRAIN_PROMOTE"`
	TrainKeep    int           `help:"Bundles of models that are kept, beside the one in use and the one before it; 0 keeps all." default:"5" env:"UPNEXT_TRAIN_KEEP"`
	TensorBoard  string        `help:"Folder in which trainings leave curves for TensorBoard." name:"tensorboard" type:"path" env:"UPNEXT_TENSORBOARD" placeholder:"DIR"`

	TextWeight       float64 `help:"Share of the text in the likeness of two items, between 0 and 1; the picture has the rest. Another share is another collection." default:"0.8" env:"UPNEXT_TEXT_WEIGHT" placeholder:"SHARE"`
	NextTextEncoder  string  `help:"Encoder of texts to change to: its collection is filled beside the present one." env:"UPNEXT_NEXT_TEXT_ENCODER" placeholder:"ENCODER"`
	NextImageEncoder string  `help:"Encoder of pictures to change to, likewise." env:"UPNEXT_NEXT_IMAGE_ENCODER" placeholder:"ENCODER"`
	NextTextWeight   float64 `help:"Share of the text to change to, likewise; 0 is no change." default:"0" env:"UPNEXT_NEXT_TEXT_WEIGHT" placeholder:"SHARE"`
	UpgradeRate      float64 `help:"Items a second that fill the next collection at most; 0 is no limit." default:"0" env:"UPNEXT_UPGRADE_RATE" placeholder:"N"`
	UpgradePromote   string  `help:"Answer from the next collection once it is full (auto), or when POST /v1/collections/NAME/promote says so (manual)." enum:"auto,manual" default:"manual" env:"UPNEXT_UPGRADE_PROMOTE"`

	MaxAnswers     int           `help:"Recommendations worked on at once, at most; what is let in adapts below it. 0 is 32 a processor." default:"0" env:"UPNEXT_MAX_ANSWERS"`
	MaxEvents      int           `help:"Requests with events worked on at once, at most, likewise." default:"1024" env:"UPNEXT_MAX_EVENTS"`
	MaxOthers      int           `help:"Other requests under /v1 at once: bulk, exports, imports, reading." default:"64" env:"UPNEXT_MAX_OTHERS"`
	MaxConnections int           `help:"Connections held at once; more wait to be accepted." default:"10000" env:"UPNEXT_MAX_CONNECTIONS"`
	ReplyBytes     string        `help:"Bytes that the replies kept for Idempotency-Key may take in the database, for each tenant." default:"256MiB" env:"UPNEXT_REPLY_BYTES" placeholder:"BYTES"`
	BodyMemory     string        `help:"Memory that the bodies of requests under way may take." default:"256MiB" env:"UPNEXT_BODY_MEMORY" placeholder:"BYTES"`
	MemoryLimit    string        `help:"Memory that the Go heap is kept below (GOMEMLIMIT): auto is 90 % of the container's, off is none." default:"auto" env:"UPNEXT_MEMORY_LIMIT" placeholder:"BYTES"`
	Drain          time.Duration `help:"How long /readyz says no at the end while requests are still taken: as long as the balancer needs to notice." default:"0s" env:"UPNEXT_DRAIN"`
	BreakAfter     int           `help:"Failures of an engine in a row after which answers go without it." default:"3" env:"UPNEXT_BREAK_AFTER"`
	BreakFor       time.Duration `help:"How long it is then left alone, before one request tries whether it is back." default:"1s" env:"UPNEXT_BREAK_FOR"`

	SlateDays    int                `help:"Days that answers are kept for explanation and training." default:"7" env:"UPNEXT_SLATE_DAYS"`
	EventWeights map[string]float64 `help:"What an event of a kind says of a viewer's taste, below 0 against it: like=1.5;skip=-0.4. Kinds not named keep theirs." env:"UPNEXT_EVENT_WEIGHTS" placeholder:"KIND=WEIGHT;…"`
	Rules        string             `help:"YAML or JSON file of the rules that pages are arranged by: diversity, caps, copies, calibration, slots, guarantees, safety, rotation. What it does not name keeps its default." env:"UPNEXT_RULES" placeholder:"FILE"`
	Seed         uint64             `help:"Seed of all that is left to chance." default:"1" env:"UPNEXT_SEED"`
	Clock        time.Time          `help:"Stand still at this time (RFC 3339): for repeatable answers." env:"UPNEXT_CLOCK" placeholder:"TIME" hidden:""`
	Workers      int                `help:"Batches of an import worked on at once; 0 is one a processor." default:"0" env:"UPNEXT_WORKERS"`
}

// commands is the command line.
type commands struct {
	Settings

	Demo   demoCommand   `cmd:"" help:"Start with a bundled catalogue and simulated viewers: the five-minute tour."`
	Serve  serveCommand  `cmd:"" help:"Serve the HTTP API and the console."`
	Ingest ingestCommand `cmd:"" help:"Import items, viewers or historical events, from files, folders or buckets."`
	Eval   evalCommand   `cmd:"" help:"Measure quality by a protocol on a data set."`
	Bench  benchCommand  `cmd:"" help:"Measure the speed of this program as a server, under the load of a made-up platform."`
	Train  trainCommand  `cmd:"" help:"Train models on the events, and answer by them."`
	Models modelsCommand `cmd:"" help:"List trained models, bring one into use, or go back."`
	Export exportCommand `cmd:"" help:"Write items, events, recorded answers or viewers as NDJSON."`
	Batch  batchCommand  `cmd:"" help:"Recommend to a list of users, to NDJSON."`
	Import importCommand `cmd:"" help:"Move here from another system: gorse, recombee."`
}

// newParser returns the parser of the command line. A variable of the
// environment ranks above the file, as people expect; kong alone would have it
// the other way round.
func newParser(cli *commands, stdout, stderr io.Writer) (*kong.Kong, error) {
	parser, err := kong.New(cli,
		kong.Name("upnext"),
		kong.Description("The recommendation backend for video, live-stream and music platforms."),
		kong.Writers(stdout, stderr),
		kong.Configuration(belowEnvironment(kongyaml.Loader)),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.Vars{"data_dir": defaultDataDir()},
	)
	if err != nil {
		return nil, err
	}
	for _, f := range parser.Model.Flags { // a variable that is empty is not set
		f.Tag.Envs = slices.DeleteFunc(slices.Clone(f.Tag.Envs), func(name string) bool { return os.Getenv(name) == "" })
	}
	return parser, nil
}

// belowEnvironment makes a loader's values give way to set variables.
func belowEnvironment(load kong.ConfigurationLoader) kong.ConfigurationLoader {
	return func(r io.Reader) (kong.Resolver, error) {
		file, err := load(r)
		if err != nil {
			return nil, err
		}
		return kong.ResolverFunc(func(c *kong.Context, parent *kong.Path, flag *kong.Flag) (any, error) {
			for _, name := range flag.Envs {
				if os.Getenv(name) != "" {
					return nil, nil
				}
			}
			return file.Resolve(c, parent, flag)
		}), nil
	}
}

func defaultDataDir() string {
	home, err := os.UserHomeDir()
	if err != nil {
		return "upnext-data"
	}
	return filepath.Join(home, ".upnext")
}

// maxWatches is how many sources the servers of one database watch.
const maxWatches = 4

// check reports settings that contradict each other.
func (s *Settings) check() error {
	if s.SlateDays < 1 {
		return fmt.Errorf("--slate-days %d: at least 1: %w", s.SlateDays, upnext.ErrInvalid)
	}
	if !(s.SecretRate >= 0 && s.PublishableRate >= 0 && s.SecretRate <= 1e6 && s.PublishableRate <= 1e6) {
		return fmt.Errorf("--secret-rate %v, --publishable-rate %v: between 0 and 1e6: %w", s.SecretRate, s.PublishableRate, upnext.ErrInvalid)
	}
	if err := s.checkLimits(); err != nil {
		return err
	}
	for kind := range s.EventWeights {
		if !slices.Contains(upnext.EventKinds, upnext.EventKind(kind)) {
			return fmt.Errorf("--event-weights %s: no such event; there are %v: %w", kind, upnext.EventKinds, upnext.ErrInvalid)
		}
	}
	if s.ArchiveEvery < 0 || s.ArchiveEvery > 0 && s.ArchiveEvery < time.Second {
		return fmt.Errorf("--archive-every %s: 0, or at least 1s: %w", s.ArchiveEvery, upnext.ErrInvalid)
	}
	if s.TrainEvery < 0 || s.TrainEvery > 0 && s.TrainEvery < time.Second || s.TrainKeep < 0 {
		return fmt.Errorf("--train-every %s: 0, or at least 1s; --train-keep %d: not below 0: %w", s.TrainEvery, s.TrainKeep, upnext.ErrInvalid)
	}
	if s.EventKeep < 0 || s.EventKeep > 0 && s.EventDays < 2 {
		return fmt.Errorf("--event-keep %d, --event-days %d: not below 0, and at least 2 days: %w", s.EventKeep, s.EventDays, upnext.ErrInvalid)
	}
	if s.EventKeep > 0 && s.ArchiveEvery == 0 {
		return fmt.Errorf("--event-keep %d: events leave the database for the archive alone: set --archive-every: %w", s.EventKeep, upnext.ErrInvalid)
	}
	switch {
	case s.shared() && len(s.Watch) > maxWatches:
		// Each holds a lock of the database, with a connection of its own, for as long as it imports.
		return fmt.Errorf("--watch: %d sources, %d allowed with a shared database; watch prefixes that hold more: %w", len(s.Watch), maxWatches, upnext.ErrInvalid)
	case s.WatchARN != "" && len(s.Watch) == 0:
		return fmt.Errorf("--watch-arn: nothing is watched: set --watch: %w", upnext.ErrInvalid)
	case s.ArchiveKey != "" && len(s.ArchiveKey) < 32:
		return fmt.Errorf("--archive-key: 32 characters or more: %w", upnext.ErrInvalid)
	case len(s.ArchiveContext) > 0 && s.ArchiveEvery == 0:
		return fmt.Errorf("--archive-context: nothing is archived: set --archive-every: %w", upnext.ErrInvalid)
	case s.UpgradePromote == "auto" && s.NextTextEncoder == "" && s.NextImageEncoder == "" && s.NextTextWeight == 0:
		return fmt.Errorf("--upgrade-promote auto: there is no --next-text-encoder, --next-image-encoder or --next-text-weight: %w", upnext.ErrInvalid)
	}
	if s.HookToken != "" && len(s.HookToken) < 16 {
		return fmt.Errorf("--hook-token: 16 characters or more: %w", upnext.ErrInvalid)
	}
	if s.WatchEvery < 10*time.Second {
		return fmt.Errorf("--watch-every %s: at least 10s: %w", s.WatchEvery, upnext.ErrInvalid)
	}
	if s.Workers < 0 {
		return fmt.Errorf("--workers %d: negative: %w", s.Workers, upnext.ErrInvalid)
	}
	if !(s.TextWeight > 0 && s.TextWeight < 1) || !(s.NextTextWeight >= 0 && s.NextTextWeight < 1) {
		return fmt.Errorf("--text-weight %v, --next-text-weight %v: between 0 and 1: %w", s.TextWeight, s.NextTextWeight, upnext.ErrInvalid)
	}
	if !(s.UpgradeRate >= 0) {
		return fmt.Errorf("--upgrade-rate %v: not below 0: %w", s.UpgradeRate, upnext.ErrInvalid)
	}
	if err := s.checkDebug(); err != nil {
		return err
	}
	host, _, err := net.SplitHostPort(s.Listen)
	if err != nil {
		return fmt.Errorf("--listen %q: %v: %w", s.Listen, err, upnext.ErrInvalid)
	}
	if len(s.SecretKeys)+len(s.PublishableKeys) == 0 && !loopback(host) {
		return fmt.Errorf("--listen %s: without --secret-keys only a loopback address is served (127.0.0.1, ::1, localhost): %w", s.Listen, upnext.ErrInvalid)
	}
	return nil
}

func loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback()
}

// now is the clock that everything uses.
func (s *Settings) now() time.Time {
	if !s.Clock.IsZero() {
		return s.Clock
	}
	return time.Now()
}
