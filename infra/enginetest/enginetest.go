// Package enginetest finds the real engines that tests run against. The
// command infra/engines/engines starts them and says where they are.
package enginetest

import (
	"os"
	"testing"
)

// URL returns where the engine is that a variable names: UPNEXT_TEST_POSTGRES,
// _MINIO, _MILVUS, _MILVUS_LITE or _EMBED. Where the variable is unset the test
// is skipped; where CI is set too it fails, so that no engine goes missing
// unseen.
func URL(t testing.TB, variable string) string {
	t.Helper()
	url := os.Getenv(variable)
	switch {
	case url != "":
	case os.Getenv("CI") != "":
		t.Fatalf("%s is not set, and CI is: start the engines with infra/engines/engines", variable)
	default:
		t.Skipf("%s is not set; infra/engines/engines starts the engine", variable)
	}
	return url
}
