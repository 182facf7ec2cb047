package api_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"upnext"
	"upnext/serve/api"
)

// TestClients: both clients are those of the description as it is.
func TestClients(t *testing.T) {
	s := start(t)
	_, _, description := s.do("GET", "/openapi.json", "application/json", "")
	var described struct {
		Paths map[string]map[string]struct{ OperationID string }
	}
	if err := json.Unmarshal([]byte(description), &described); err != nil {
		t.Fatal(err)
	}
	operations := map[string]string{}
	for path, methods := range described.Paths {
		for method, op := range methods {
			operations[op.OperationID] = fmt.Sprintf("  %q: [%q, %q],\n", op.OperationID, strings.ToUpper(method), path)
		}
	}
	var b bytes.Buffer
	b.WriteString("// Code generated from openapi.yaml by task clients. DO NOT EDIT.\nexport const operations = {\n")
	for _, id := range slices.Sorted(maps.Keys(operations)) {
		b.WriteString(operations[id])
	}
	b.WriteString("};\n")
	const file = "../../web/client/operations.js"
	if os.Getenv("UPNEXT_UPDATE") != "" {
		if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if path := os.Getenv("UPNEXT_OPENAPI30"); path != "" { // what generators read
		_, _, old := s.do("GET", "/openapi-3.0.yaml", "application/json", "")
		if err := os.WriteFile(path, []byte(old), 0o644); err != nil {
			t.Fatal(err)
		}
		return // the rest is generated after this
	}
	if now, err := os.ReadFile(file); err != nil || !bytes.Equal(now, b.Bytes()) {
		t.Errorf("%s is not of the present API (%v): task clients", file, err)
	}
	text, err := os.ReadFile("openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(text)
	if of, err := os.ReadFile("../client/openapi.sha256"); err != nil || strings.TrimSpace(string(of)) != hex.EncodeToString(sum[:]) {
		t.Errorf("serve/client and web/client/schema.d.ts are not of the present API (%v): task clients", err)
	}
}

// TestClientExamples runs the clients' examples as users would.
func TestClientExamples(t *testing.T) {
	const secret = "secret-secret-secret"
	for _, c := range []struct{ name, program string }{
		{"Go", "go run ../client/example"}, {"JavaScript", "node ../../web/client/example.mjs"},
	} {
		t.Run(c.name, func(t *testing.T) {
			args := strings.Fields(c.program)
			if _, err := exec.LookPath(args[0]); err != nil && os.Getenv("CI") == "" {
				t.Skip(err)
			}
			s := start(t, api.Key{Secret: secret, Tenant: upnext.DefaultTenant})
			s.key = secret
			s.fill()
			out, err := exec.CommandContext(t.Context(), args[0], append(args[1:], s.url, secret)...).CombinedOutput()
			if err != nil || !strings.HasSuffix(string(out), "422 /filter\ndone\n") {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
}
