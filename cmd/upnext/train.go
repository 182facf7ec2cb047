package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"text/tabwriter"
	"time"

	"upnext"
	"upnext/serve/api"
	"upnext/train"
)

type trainCommand struct {
	Models []string `help:"Names of the models to try, separated by commas; a wrong name is answered with those there are. Default: all that take minutes." placeholder:"NAME"`
	Tenant string   `help:"Whose; default, where none is named." placeholder:"TENANT"`
}

// Run trains in this process, or in the server that has the data directory
// open, and shows how far it is.
func (c *trainCommand) Run(ctx context.Context, s *Settings, out console) (err error) {
	from, err := borrow(ctx, s, out, c.Tenant)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, from.close()) }()
	if !from.foreign {
		// Not ctx: the run is cancelled by name, so that nobody takes it up again.
		ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
		var running sync.WaitGroup
		running.Go(func() { from.engines.runner.Run(ctx) })
		defer running.Wait()
		defer stop()
	}
	var run api.TrainingRun
	if err := from.call(ctx, http.MethodPost, "/v1/models/train", map[string][]string{"models": c.Models}, &run); err != nil {
		return err
	}
	shown := newBars(out.err)
	defer shown.wait()
	drawn := map[string]*bar{}
	for run.State == string(train.Queued) || run.State == string(train.Running) {
		select {
		case <-ctx.Done():
			return c.leave(context.WithoutCancel(ctx), from, run.ID, out)
		case <-time.After(300 * time.Millisecond):
		}
		if err := from.call(ctx, http.MethodGet, "/v1/models/runs/"+run.ID, nil, &run); err != nil {
			return err
		}
		drawRun(shown, drawn, run)
	}
	if run.State != string(train.Succeeded) {
		return fmt.Errorf("run %s has %s: %s", run.ID, run.State, cmp.Or(run.Error, "asked to end"))
	}
	if s.JSON {
		return json.NewEncoder(out.out).Encode(run)
	}
	return printBundle(out, *run.Bundle)
}

// leave ends the run that this process does; one of a server's goes on.
func (c *trainCommand) leave(ctx context.Context, from *borrowed, id string, out console) error {
	err := upnext.ErrConflict
	if !from.foreign {
		_, err = from.engines.runner.Cancel(ctx, cmp.Or(upnext.Tenant(c.Tenant), upnext.DefaultTenant), id)
	}
	if errors.Is(err, upnext.ErrConflict) {
		fmt.Fprintf(out.err, "run %s goes on in the server\n", id)
	} else if err != nil {
		return err
	}
	return context.Canceled
}

// drawRun shows a bar for each phase of each model, with its latest loss and
// metric.
func drawRun(shown *bars, drawn map[string]*bar, run api.TrainingRun) {
	latest := map[string]string{}
	for _, c := range run.Curves {
		if n := len(c.Points); n > 0 {
			latest[c.Model] += fmt.Sprintf(" %s %.4f", c.Of, c.Points[n-1].Value)
		}
	}
	for _, step := range run.Steps {
		name := step.Model + " " + step.Phase
		if drawn[name] == nil {
			drawn[name] = shown.add(name, int64(step.Total))
		}
		drawn[name].note(latest[step.Model])
		drawn[name].set(int64(step.Done), int64(step.Total))
	}
}

func printBundle(out console, b api.Bundle) error {
	fmt.Fprintf(out.out, "bundle %s: %d viewers, %d items, %d acts; measured by the newest act of %d viewers\n", b.Version, b.Viewers, b.Items, b.Acts, b.Validated)
	w := tabwriter.NewWriter(out.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "model\tweight\thr@10\tndcg@10\tseconds\tkB")
	for _, m := range b.Models {
		fmt.Fprintf(w, "%s\t%.2f\t%.4f\t%.4f\t%.1f\t%d\n", m.Name, m.Weight, m.HR10, m.NDCG10, m.Seconds, m.Bytes/1000)
	}
	fmt.Fprintf(w, "together\t\t%.4f\t%.4f\n", b.HR10, b.NDCG10)
	return w.Flush()
}

type modelsCommand struct {
	List     modelsList     `cmd:"" help:"The bundles, and which one is in use."`
	Promote  modelsPromote  `cmd:"" help:"Answer by this bundle from now on."`
	Rollback modelsRollback `cmd:"" help:"Answer by the former bundle again."`
}

type modelsList struct {
	Tenant string `help:"Whose; default, where none is named." placeholder:"TENANT"`
}

type modelsPromote struct {
	Version string `arg:"" help:"As upnext models list names it."`
	Tenant  string `help:"Whose; default, where none is named." placeholder:"TENANT"`
}

type modelsRollback struct {
	Tenant string `help:"Whose; default, where none is named." placeholder:"TENANT"`
}

// Run lists.
func (c *modelsList) Run(ctx context.Context, s *Settings, out console) error {
	return askModels(ctx, s, out, c.Tenant, http.MethodGet, "/v1/models")
}

// Run promotes.
func (c *modelsPromote) Run(ctx context.Context, s *Settings, out console) error {
	return askModels(ctx, s, out, c.Tenant, http.MethodPost, "/v1/models/"+url.PathEscape(c.Version)+"/promote")
}

// Run rolls back.
func (c *modelsRollback) Run(ctx context.Context, s *Settings, out console) error {
	return askModels(ctx, s, out, c.Tenant, http.MethodPost, "/v1/models/rollback")
}

func askModels(ctx context.Context, s *Settings, out console, tenant, method, path string) (err error) {
	from, err := borrow(ctx, s, out, tenant)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, from.close()) }()
	var all struct {
		Bundles []api.Bundle `json:"bundles"`
		Held    bool         `json:"held"`
	}
	if err := from.call(ctx, method, path, nil, &all); err != nil {
		return err
	}
	if s.JSON {
		return json.NewEncoder(out.out).Encode(all)
	}
	w := tabwriter.NewWriter(out.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "version\tmade\thr@10\tndcg@10\tmodels\t")
	for _, b := range all.Bundles {
		names := ""
		for _, m := range b.Models {
			names += fmt.Sprintf("%s %.2f  ", m.Name, m.Weight)
		}
		state := ""
		switch {
		case b.InUse:
			state = "in use"
		case b.Former:
			state = "former"
		}
		fmt.Fprintf(w, "%s\t%s\t%.4f\t%.4f\t%s\t%s\n", b.Version, b.CreatedAt.Format(time.RFC3339), b.HR10, b.NDCG10, names, state)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if all.Held {
		fmt.Fprintln(out.err, "held since a rollback: what is trained waits until a bundle is promoted by hand")
	}
	return nil
}
