package api

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"upnext"
)

// Watcher is told what becomes of objects in buckets.
type Watcher interface {
	// Notice takes the news of one object and says whether anybody watches where
	// it lies. It does not block.
	Notice(bucket, key string, removed bool) bool
}

// hookPath has a token of its own: no key opens it, and its token nothing else.
const hookPath = "/v1/hooks/minio"

// maxHook is the longest body of a notification in bytes. MinIO sends one
// record in each.
const maxHook = 1 << 20

// notification is what MinIO and S3 send of a bucket, as far as it is read.
type notification struct {
	Records []notificationRecord `json:"Records" doc:"What happened, in S3's form (event version 2.x)."`
}

type notificationRecord struct {
	EventName string `json:"eventName" example:"s3:ObjectCreated:Put" doc:"Those of creation and removal count."`
	S3        struct {
		Bucket struct {
			Name string `json:"name"`
		} `json:"bucket"`
		Object struct {
			Key string `json:"key" doc:"URL-encoded."`
		} `json:"object"`
	} `json:"s3"`
}

type hookOutput struct {
	Taken   int `json:"taken" doc:"Records of objects in a watched source."`
	Ignored int `json:"ignored" doc:"Records of other buckets, and of other events."`
}

// hookOperation describes postHook.
func (a *api) hookOperation() *huma.Operation {
	content := func(of reflect.Type) map[string]*huma.MediaType {
		return map[string]*huma.MediaType{"application/json": {Schema: a.huma.OpenAPI().Components.Schemas.Schema(of, true, "")}}
	}
	return &huma.Operation{
		OperationID: "post-hooks-minio", Method: http.MethodPost, Path: hookPath, Tags: []string{"imports"},
		Summary: "Bucket notifications: the target of MinIO's webhook",
		Description: "Takes the token of the setting --hook-token alone, as Authorization: Bearer TOKEN (MINIO_NOTIFY_WEBHOOK_AUTH_TOKEN_… at the server); " +
			"without that setting there is no such route. MinIO repeats what is not answered 2xx; news of what nobody watches are answered 200.",
		RequestBody: &huma.RequestBody{Required: true, Content: content(typeOf[notification]())},
		Responses: map[string]*huma.Response{
			"200": {Description: "How many records were taken; the imports follow.", Content: content(typeOf[hookOutput]())},
			"default": {Description: "Error", Content: map[string]*huma.MediaType{
				"application/problem+json": content(typeOf[Problem]())["application/json"]}},
		},
	}
}

// postHook hands news of objects on. What they lead to is not waited for: the
// server that sends them holds the next ones back meanwhile.
func (a *api) postHook(c *gin.Context) {
	if a.HookToken == "" {
		a.fail(c, newProblem(http.StatusNotFound, "no such route: the setting --hook-token is empty"))
		return
	}
	if !a.hookCaller(c.GetHeader("Authorization")) {
		a.fail(c, newProblem(http.StatusUnauthorized, "want Authorization: Bearer TOKEN with the token of --hook-token"))
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(c.Writer, c.Request.Body, maxHook))
	var n notification
	if err == nil {
		if err = json.Unmarshal(body, &n); err != nil {
			err = upnext.Unread("bucket notification", err)
		}
	}
	if err != nil {
		a.fail(c, err)
		return
	}
	// All or none: MinIO would repeat all of it.
	keys := make([]string, len(n.Records))
	for i, r := range n.Records {
		if keys[i], err = url.QueryUnescape(r.S3.Object.Key); err != nil || r.S3.Bucket.Name == "" || keys[i] == "" {
			a.fail(c, upnext.Invalid(fmt.Sprintf("Records/%d/s3", i), "bucket %q, key %q: neither may be missing, and the key is URL-encoded", r.S3.Bucket.Name, r.S3.Object.Key))
			return
		}
	}
	var out hookOutput
	for i, r := range n.Records {
		if a.notice(r, keys[i]) {
			out.Taken++
		} else {
			out.Ignored++
		}
	}
	a.hooked.WithLabelValues("taken").Add(float64(out.Taken))
	a.hooked.WithLabelValues("ignored").Add(float64(out.Ignored))
	c.JSON(http.StatusOK, out)
}

// notice hands one record on and says whether somebody took it.
func (a *api) notice(r notificationRecord, key string) bool {
	event := strings.TrimPrefix(r.EventName, "s3:") // Amazon leaves it out
	removed := strings.HasPrefix(event, "ObjectRemoved:")
	if a.Watcher == nil || !removed && !strings.HasPrefix(event, "ObjectCreated:") {
		return false
	}
	taken := a.Watcher.Notice(r.S3.Bucket.Name, key, removed)
	if !taken {
		a.Logger.Debug("news of an object that nobody watches", "bucket", r.S3.Bucket.Name, "key", key, "event", event)
	}
	return taken
}

// hookCaller compares by hash, so that time tells nothing. MinIO sends the
// token as a bearer's, or as it was set where that holds a space.
func (a *api) hookCaller(header string) bool {
	given := header
	if scheme, rest, ok := strings.Cut(header, " "); ok && strings.EqualFold(scheme, "Bearer") {
		given = strings.TrimSpace(rest)
	}
	want := a.HookToken
	if scheme, rest, ok := strings.Cut(want, " "); ok && strings.EqualFold(scheme, "Bearer") {
		want = strings.TrimSpace(rest)
	}
	x, y := sha256.Sum256([]byte(given)), sha256.Sum256([]byte(want))
	return subtle.ConstantTimeCompare(x[:], y[:]) == 1
}
