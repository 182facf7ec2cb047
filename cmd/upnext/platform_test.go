package main

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver named "pgx"
	"github.com/milvus-io/milvus-sdk-go/v2/client"
	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/oklog/ulid/v2"

	"upnext"
	"upnext/infra/enginetest"
)

// platform is one set of the real engines, empty at first, that several
// servers of a test share: a database, a bucket and a prefix of collections.
type platform struct {
	t        testing.TB
	database string
	bucket   string // of the object store
	source   string // the bucket that is imported from
	endpoint string
	index    string
	minio    *minio.Client
}

// newPlatform makes one; milvus names the variable of the server of vectors.
func newPlatform(t testing.TB, milvus string) *platform {
	t.Helper()
	name := "upnext_" + strings.ToLower(ulid.Make().String())
	p := &platform{t: t, bucket: strings.ReplaceAll(name, "_", "-")}
	p.source = p.bucket + "-source"
	p.makeDatabase(enginetest.URL(t, "UPNEXT_TEST_POSTGRES"), name)
	p.makeBuckets(enginetest.URL(t, "UPNEXT_TEST_MINIO"))
	p.index = enginetest.URL(t, milvus) + "?prefix=" + name
	t.Cleanup(p.dropCollections)
	return p
}

func (p *platform) makeDatabase(server, name string) {
	p.t.Helper()
	db, err := sql.Open("pgx", server)
	if err == nil {
		_, err = db.Exec(`CREATE DATABASE ` + name)
	}
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() {
		if _, err := db.Exec(`DROP DATABASE ` + name + ` WITH (FORCE)`); err != nil {
			p.t.Error(err)
		}
		db.Close()
	})
	u, err := url.Parse(server)
	if err != nil {
		p.t.Fatal(err)
	}
	u.Path = "/" + name
	p.database = u.String()
}

func (p *platform) makeBuckets(server string) {
	p.t.Helper()
	u, err := url.Parse(server)
	if err != nil {
		p.t.Fatal(err)
	}
	secret, _ := u.User.Password()
	p.endpoint = "http://" + u.Host
	for name, value := range map[string]string{"AWS_ACCESS_KEY_ID": u.User.Username(), "AWS_SECRET_ACCESS_KEY": secret} {
		if err := os.Setenv(name, value); err != nil { // as t.Setenv, which a testing.TB of a parallel test refuses
			p.t.Fatal(err)
		}
	}
	p.minio, err = minio.New(u.Host, &minio.Options{Creds: credentials.NewStaticV4(u.User.Username(), secret, "")})
	if err != nil {
		p.t.Fatal(err)
	}
	for _, bucket := range []string{p.bucket, p.source} {
		if err := p.minio.MakeBucket(context.Background(), bucket, minio.MakeBucketOptions{}); err != nil {
			p.t.Fatal(err)
		}
		p.t.Cleanup(func() { p.removeBucket(bucket) })
	}
}

func (p *platform) removeBucket(name string) {
	ctx := context.Background()
	all := p.minio.ListObjects(ctx, name, minio.ListObjectsOptions{Recursive: true})
	for e := range p.minio.RemoveObjects(ctx, name, all, minio.RemoveObjectsOptions{}) {
		p.t.Error(e.Err)
	}
	if err := p.minio.RemoveBucket(ctx, name); err != nil {
		p.t.Error(err)
	}
}

// s3 is the URL of a place in a bucket, with where its server is.
func (p *platform) s3(place string) string {
	return "s3://" + place + "?endpoint=" + url.QueryEscape(p.endpoint)
}

// args are the settings of a server with a data directory of its own.
func (p *platform) args() []string {
	return []string{"--data-dir", p.t.TempDir(), "--database", p.database, "--objects", p.s3(p.bucket + "/store"), "--index", p.index,
		"--s3-sources", p.s3(p.source), "--token-key", strings.Repeat("of the tests ", 4)}
}

// settings are the same for a test that opens the engines itself.
func (p *platform) settings() *Settings {
	return &Settings{DataDir: p.t.TempDir(), Listen: "127.0.0.1:0", Seed: 1, SlateDays: 30,
		Database: p.database, Objects: p.s3(p.bucket + "/store"), Index: p.index, TokenKey: strings.Repeat("of the tests ", 4)}
}

// upload copies a folder into the bucket that is imported from.
func (p *platform) upload(folder, prefix string) {
	p.t.Helper()
	err := filepath.WalkDir(folder, func(name string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		key, err := filepath.Rel(folder, name)
		if err == nil {
			_, err = p.minio.FPutObject(context.Background(), p.source, prefix+filepath.ToSlash(key), name, minio.PutObjectOptions{})
		}
		return err
	})
	if err != nil {
		p.t.Fatal(err)
	}
}

// dropCollections removes what the test has left in the server of vectors: the
// aliases first, which hold their collections.
func (p *platform) dropCollections() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	u, err := url.Parse(p.index)
	if err != nil {
		p.t.Fatal(err)
	}
	server, err := client.NewClient(ctx, client.Config{Address: u.Host})
	if err != nil {
		p.t.Error(err)
		return
	}
	defer server.Close()
	prefix := u.Query().Get("prefix") + "_"
	sum := sha256.Sum256([]byte(upnext.DefaultTenant))
	_ = server.DropAlias(ctx, prefix+"active_"+hex.EncodeToString(sum[:16])) // a test that failed early has none
	left, err := server.ListCollections(ctx)
	if err != nil {
		p.t.Error(err)
	}
	for _, c := range left {
		if strings.HasPrefix(c.Name, prefix) {
			if err := server.DropCollection(ctx, c.Name); err != nil {
				p.t.Error(err)
			}
		}
	}
}

// importAll imports a source through a server and returns the ended import.
func (s *started) importAll(source string) remoteImport {
	s.t.Helper()
	var imp remoteImport
	s.post("/v1/imports", fmt.Sprintf(`{"source":%q}`, source), &imp)
	for deadline := time.Now().Add(20 * time.Minute); imp.State == "queued" || imp.State == "running"; {
		if time.Now().After(deadline) {
			s.t.Fatalf("the import has not ended: %+v", imp)
		}
		time.Sleep(100 * time.Millisecond)
		s.get("/v1/imports/"+imp.ID, &imp)
	}
	return imp
}
