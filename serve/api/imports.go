package api

import (
	"context"
	"time"

	"upnext"
)

type importBody struct {
	ID        string           `json:"id" example:"imp_01J…"`
	Source    string           `json:"source"`
	Format    string           `json:"format"`
	OnMissing string           `json:"on_missing"`
	State     string           `json:"state" enum:"queued,running,succeeded,cancelled,failed"`
	Error     string           `json:"error,omitempty"`
	Total     int64            `json:"total" doc:"Items found so far."`
	Created   int64            `json:"created"`
	Updated   int64            `json:"updated"`
	Unchanged int64            `json:"unchanged"`
	Missing   int64            `json:"missing" doc:"Items whose objects had gone."`
	Failed    int64            `json:"failed"`
	Events    int64            `json:"events"`
	Stages    []stageBody      `json:"stages"`
	Causes    map[string]int64 `json:"causes" doc:"Failures by cause."`
	QueuedAt  time.Time        `json:"queued_at"`
	StartedAt *time.Time       `json:"started_at,omitempty"`
	EndedAt   *time.Time       `json:"ended_at,omitempty"`
	PerSecond float64          `json:"items_per_second"`
}

type stageBody struct {
	Name   string `json:"name"`
	Done   int64  `json:"done"`
	Failed int64  `json:"failed"`
	BusyMS int64  `json:"busy_ms" doc:"Over all workers."`
}

type importOutput struct{ Body importBody }

func (a *api) startImport(ctx context.Context, in *struct {
	Body struct {
		Source    string `json:"source" minLength:"1" maxLength:"4096" doc:"s3://BUCKET/PREFIX, blob:TENANT/PREFIX in the object store, or a folder of the server: a prefix or one manifest." example:"s3://films/catalogue"`
		Format    string `json:"format,omitempty" enum:"auto,folders,ndjson,csv,movielens,events,viewers" doc:"Default auto."`
		OnMissing string `json:"on_missing,omitempty" enum:"keep,hide,delete" doc:"What becomes of items whose objects have gone; default keep."`
	}
}) (*importOutput, error) {
	imp, err := a.Importer.Start(ctx, callerOf(ctx).tenant, ImportOrder{in.Body.Source, in.Body.Format, upnext.OnMissing(in.Body.OnMissing)})
	if err != nil {
		return nil, err
	}
	return &importOutput{a.bodyOfImport(imp)}, nil
}

func (a *api) getImport(ctx context.Context, in *struct {
	ID string `path:"id"`
}) (*importOutput, error) {
	imp, err := a.Imports.Import(ctx, callerOf(ctx).tenant, upnext.ImportID(in.ID))
	if err != nil {
		return nil, err
	}
	return &importOutput{a.bodyOfImport(imp)}, nil
}

func (a *api) cancelImport(ctx context.Context, in *struct {
	ID string `path:"id"`
}) (*importOutput, error) {
	imp, err := a.Importer.Cancel(ctx, callerOf(ctx).tenant, upnext.ImportID(in.ID))
	if err != nil {
		return nil, err
	}
	return &importOutput{a.bodyOfImport(imp)}, nil
}

type importsOutput struct {
	Body struct {
		Imports []importBody `json:"imports"`
	}
}

func (a *api) listImports(ctx context.Context, in *struct {
	Limit int `query:"limit" minimum:"1" maximum:"100" default:"20"`
}) (*importsOutput, error) {
	all, err := a.Imports.ListImports(ctx, callerOf(ctx).tenant, in.Limit)
	if err != nil {
		return nil, err
	}
	var out importsOutput
	out.Body.Imports = make([]importBody, len(all))
	for i, imp := range all {
		out.Body.Imports[i] = a.bodyOfImport(imp)
	}
	return &out, nil
}

type failureBody struct {
	Seq    int64  `json:"seq"`
	Key    string `json:"key"`
	Line   int    `json:"line,omitempty"`
	ItemID string `json:"item_id,omitempty"`
	Stage  string `json:"stage"`
	Cause  string `json:"cause"`
	Detail string `json:"detail"`
}

type failuresOutput struct {
	Body struct {
		Failures []failureBody `json:"failures"`
		Next     int64         `json:"next_after,omitempty" doc:"Send as after for what follows; absent at the end."`
	}
}

func (a *api) importFailures(ctx context.Context, in *struct {
	ID    string `path:"id"`
	After int64  `query:"after" minimum:"0"`
	Limit int    `query:"limit" minimum:"1" maximum:"1000" default:"100"`
}) (*failuresOutput, error) {
	t := callerOf(ctx).tenant
	if _, err := a.Imports.Import(ctx, t, upnext.ImportID(in.ID)); err != nil {
		return nil, err
	}
	all, err := a.Imports.Failures(ctx, t, upnext.ImportID(in.ID), in.After, in.Limit)
	if err != nil {
		return nil, err
	}
	var out failuresOutput
	out.Body.Failures = failures(all)
	if len(all) == in.Limit {
		out.Body.Next = all[len(all)-1].Seq
	}
	return &out, nil
}

func failures(all []upnext.Failure) []failureBody {
	bodies := make([]failureBody, len(all))
	for i, f := range all {
		bodies[i] = failureBody{f.Seq, f.Key, f.Line, string(f.Item), f.Stage, f.Cause, f.Detail}
	}
	return bodies
}

func (a *api) bodyOfImport(imp upnext.Import) importBody {
	b := importBody{
		ID: string(imp.ID), Source: imp.Source, Format: imp.Format, OnMissing: string(imp.OnMissing), State: string(imp.State), Error: imp.Error,
		Total: imp.Total, Created: imp.Created, Updated: imp.Updated, Unchanged: imp.Unchanged, Missing: imp.Missing, Failed: imp.Failed,
		Events: imp.Events, Stages: []stageBody{}, Causes: imp.Causes, QueuedAt: imp.QueuedAt,
	}
	if b.Causes == nil {
		b.Causes = map[string]int64{}
	}
	for _, s := range imp.Stages {
		b.Stages = append(b.Stages, stageBody{s.Name, s.Done, s.Failed, s.Busy.Milliseconds()})
	}
	if !imp.StartedAt.IsZero() {
		b.StartedAt = &imp.StartedAt
		end := imp.EndedAt
		if end.IsZero() {
			end = a.Now()
		} else {
			b.EndedAt = &imp.EndedAt
		}
		if took := end.Sub(imp.StartedAt).Seconds(); took > 0 {
			b.PerSecond = float64(imp.Created+imp.Updated+imp.Unchanged) / took
		}
	}
	return b
}
