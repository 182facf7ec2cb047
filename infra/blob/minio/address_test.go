package minio_test

import (
	"errors"
	"strings"
	"testing"

	"upnext"
	"upnext/infra/blob/minio"
)

func TestParseAddress(t *testing.T) {
	a, err := minio.ParseAddress("s3://media/up//next/?endpoint=http://10.0.0.1:9000&region=eu-1&public=cdn.example.com&create=true&part_mb=8&tenant=acme", "tenant")
	if err != nil {
		t.Fatal(err)
	}
	if a.Bucket != "media" || a.Prefix != "up/next" || a.Endpoint.String() != "http://10.0.0.1:9000" || a.Amazon || a.Region != "eu-1" ||
		a.Public.String() != "https://cdn.example.com" || !a.Create || a.PartSize != 8<<20 || a.Extra.Get("tenant") != "acme" {
		t.Errorf("got %+v", a)
	}
	if a, err := minio.ParseAddress("s3://media"); err != nil || !a.Amazon || a.Endpoint.Scheme != "https" || a.Prefix != "" {
		t.Errorf("without an endpoint: %+v %v, want Amazon's over TLS", a, err)
	}
	for _, bad := range []string{
		"", "media", "s3://", "http://media/x", "s3://me:secret@media", "s3://media?endpoint=http://me:secret@host", "s3://media?endpoint=ftp://host",
		"s3://media?endpoint=http://host/path", "s3://media?colour=red", "s3://media?create=perhaps", "s3://media?part_mb=1", "s3://Me_dia", "s3://media/%ff", "s3://media#x", "s3://media?%zz",
	} {
		_, err := minio.ParseAddress(bad)
		if !errors.Is(err, upnext.ErrInvalid) {
			t.Errorf("%s: %v, want ErrInvalid", bad, err)
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: the error tells the secret: %v", bad, err)
		}
	}
}

func TestSources(t *testing.T) {
	b := newBucket(t)
	s, err := minio.NewSources([]string{b.address("catalogue", "&tenant=acme"), b.address("shared", "")}, quiet)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		tenant      upnext.Tenant
		bucket, key string
		open        bool
	}{
		{"acme", b.name, "catalogue", true}, {"acme", b.name, "catalogue/a", true}, {"acme", b.name, "catalogues", false}, {"acme", b.name, "", false},
		{"other", b.name, "catalogue/a", false}, {"other", b.name, "shared/x", true}, {"acme", "another", "catalogue", false},
	} {
		_, err := s.Open(t.Context(), c.tenant, c.bucket, c.key)
		if c.open != (err == nil) || err != nil && !errors.Is(err, upnext.ErrInvalid) {
			t.Errorf("%s opens %s/%s: %v, want %v", c.tenant, c.bucket, c.key, err, c.open)
		}
	}
	every, err := minio.NewSources([]string{"s3://*?endpoint=" + b.endpoint}, quiet)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := every.Open(t.Context(), "acme", b.name, "x"); err != nil {
		t.Errorf("every bucket: %v", err)
	}
	if _, err := every.Open(t.Context(), "acme", "upnext-no-such-bucket", "x"); !errors.Is(err, upnext.ErrInvalid) {
		t.Errorf("a bucket that is not there: %v, want ErrInvalid", err)
	}
}
