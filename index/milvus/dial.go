package milvus

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"net/url"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/milvus-io/milvus-sdk-go/v2/client"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/keepalive"

	"upnext"
)

// How long a call may take where the caller sets no limit, so that a dead
// server stops nobody for ever.
const (
	dialFor   = 15 * time.Second
	readFor   = 20 * time.Second
	writeFor  = 60 * time.Second
	changeFor = 30 * time.Second
	loadFor   = 5 * time.Minute
)

var (
	prefixes = regexp.MustCompile(`^[a-z][a-z0-9_]{0,39}$`)
	versions = regexp.MustCompile(`(\d+)\.(\d+)`)
)

// Open connects to milvus://host:19530[/database][?prefix=NAME], or
// milvus+tls://… . Every name on the server begins with the prefix, "upnext" if
// none is given. Credentials come from MILVUS_TOKEN, or MILVUS_USERNAME and
// MILVUS_PASSWORD, never from the address. A server older than 2.3 is refused.
func Open(ctx context.Context, address string, log *slog.Logger) (*Collections, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "milvus" && u.Scheme != "milvus+tls" {
		return nil, fmt.Errorf("index: want milvus://host:port or milvus+tls://host:port: %w", upnext.ErrInvalid)
	}
	if u.User != nil {
		return nil, fmt.Errorf("index %s: credentials belong in MILVUS_USERNAME and MILVUS_PASSWORD: %w", u.Redacted(), upnext.ErrInvalid)
	}
	prefix := u.Query().Get("prefix")
	if prefix == "" {
		prefix = "upnext"
	}
	if !prefixes.MatchString(prefix) {
		return nil, fmt.Errorf("index %s: prefix %.80q: a letter, then up to 39 of [a-z0-9_]: %w", address, prefix, upnext.ErrInvalid)
	}
	ctx, cancel := context.WithTimeout(ctx, dialFor)
	defer cancel()
	connected, err := client.NewClient(ctx, client.Config{
		Address:       u.Host,
		DBName:        strings.Trim(u.Path, "/"),
		EnableTLSAuth: u.Scheme == "milvus+tls",
		APIKey:        os.Getenv("MILVUS_TOKEN"),
		Username:      os.Getenv("MILVUS_USERNAME"),
		Password:      os.Getenv("MILVUS_PASSWORD"),
		DialOptions:   dialOptions(),
	})
	if err != nil {
		return nil, fmt.Errorf("connect to milvus at %s: %w: %w", u.Host, upnext.ErrUnavailable, err)
	}
	c := &Collections{
		client: connected.(*client.GrpcClient), prefix: prefix, log: log,
		open: map[key]*Index{}, active: map[upnext.Tenant]promoted{},
	}
	if err := c.meet(ctx); err != nil {
		_ = c.client.Close() // the error that counts is the first
		return nil, fmt.Errorf("milvus at %s: %w", u.Host, err)
	}
	return c, nil
}

// dialOptions replace the SDK's: statuses as errors, and pings so rare that a
// server of gRPC's defaults (milvus-lite) does not hang up for them. A dead peer
// is found by what is sent and not acknowledged within Timeout.
func dialOptions() []grpc.DialOption {
	return []grpc.DialOption{
		grpc.WithBlock(), //nolint:staticcheck // the SDK dials by DialContext
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: 5 * time.Minute, Timeout: 10 * time.Second}),
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: 3 * time.Second},
			MinConnectTimeout: 3 * time.Second,
		}),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(math.MaxInt32)),
		grpc.WithChainUnaryInterceptor(statusErrors),
	}
}

// server is what there is to know of the other side before asking for more.
type server struct {
	version string
	lite    bool // milvus-lite: no `in` over JSON

	// Up to 2.3 an upsert puts rows in a partition that the tenant does not
	// belong to, and a filter by tenant then misses them: it is written so
	// that no partition is left out.
	strays bool
}

// meet asks for the server's version.
func (c *Collections) meet(ctx context.Context) error {
	version, err := c.client.GetVersion(ctx)
	if err != nil {
		return c.failed(ctx, "ask for the version", err)
	}
	s := server{version: version, lite: strings.HasPrefix(version, "milvus_lite")}
	if !s.lite {
		found := versions.FindStringSubmatch(version)
		if found == nil {
			return fmt.Errorf("version %.80q is none that can be compared: %w", version, upnext.ErrInvalid)
		}
		major, _ := strconv.Atoi(found[1]) // digits; one too many is no version either
		minor, _ := strconv.Atoi(found[2])
		if major < 2 || major == 2 && minor < 3 {
			return fmt.Errorf("version %s: 2.3 is the oldest that serves: %w", version, upnext.ErrInvalid)
		}
		s.strays = major == 2 && minor < 4
	}
	c.server = s
	c.log.InfoContext(ctx, "milvus connected", "version", version, "prefix", c.prefix)
	return nil
}
