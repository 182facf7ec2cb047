package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	if os.Getenv("UPNEXT_TEST_CHILD") != "" {
		os.Exit(importChild())
	}
	if os.Getenv(childArgs) != "" {
		os.Exit(runChild())
	}
	testscript.Main(m, map[string]func(){
		"upnext": func() {
			os.Exit(runAs(os.Args[1:]))
		},
	})
}

// TestScript runs the command line as typed: testdata/script/*.txtar.
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "script"),
		Setup: func(env *testscript.Env) error {
			env.Setenv("HOME", env.WorkDir)
			return nil
		},
	})
}
