package api

import (
	"context"
	"time"

	"upnext"
)

// Models are a tenant's trained models: bundles, of which one is in use, and the
// runs that make them.
type Models interface {
	// Bundles lists all, oldest first. held says that somebody has rolled back:
	// what is trained is promoted by hand.
	Bundles(ctx context.Context, t upnext.Tenant) (all []Bundle, held bool, err error)
	// Promote brings one into use; ErrNotFound, or ErrInvalid where it is damaged.
	Promote(ctx context.Context, t upnext.Tenant, version string) error
	// Rollback brings the former one back, and holds what is trained until the
	// next Promote; ErrConflict where there was none.
	Rollback(ctx context.Context, t upnext.Tenant) error
	// Train asks for a run, or joins the one that waits for the same; no models
	// means the standard ones. ErrConflict where too many wait.
	Train(ctx context.Context, t upnext.Tenant, models []string) (TrainingRun, error)
	// Runs lists the latest, newest first.
	Runs(ctx context.Context, t upnext.Tenant, limit int) ([]TrainingRun, error)
	// Run returns one, or ErrNotFound.
	Run(ctx context.Context, t upnext.Tenant, id string) (TrainingRun, error)
	// Cancel ends one that waits or is under way in this process, else ErrConflict.
	Cancel(ctx context.Context, t upnext.Tenant, id string) (TrainingRun, error)
}

// Bundle is a set of models that are used together.
type Bundle struct {
	Version   string         `json:"version"`
	InUse     bool           `json:"in_use" doc:"Requests are answered by it."`
	Former    bool           `json:"former" doc:"It was in use before: rollback brings it back."`
	CreatedAt time.Time      `json:"created_at"`
	Viewers   int            `json:"viewers"`
	Items     int            `json:"items"`
	Acts      int            `json:"acts" doc:"Events that speak for their items, that it was fitted on."`
	Newest    time.Time      `json:"newest" doc:"Of these events."`
	Validated int            `json:"validated" doc:"Viewers whose newest act was held out to measure by."`
	HR10      float64        `json:"hr@10" doc:"Of the models together: the share of these viewers whose act is among the first ten of the whole catalogue."`
	NDCG10    float64        `json:"ndcg@10"`
	Models    []TrainedModel `json:"models" doc:"The strongest first."`
}

// TrainedModel is one of a bundle.
type TrainedModel struct {
	Name    string  `json:"name" example:"ease"`
	Weight  float64 `json:"weight" doc:"In the blend of scores, each brought to mean 0 and deviation 1."`
	HR10    float64 `json:"hr@10" doc:"Alone."`
	NDCG10  float64 `json:"ndcg@10"`
	Seconds float64 `json:"seconds" doc:"To fit."`
	Bytes   int64   `json:"bytes"`
}

// TrainingRun is one training from the wish to the bundle.
type TrainingRun struct {
	ID        string         `json:"id" example:"run_01J…"`
	State     string         `json:"state" enum:"queued,running,succeeded,failed,cancelled"`
	Models    []string       `json:"models" doc:"Asked for; empty: the standard ones."`
	QueuedAt  time.Time      `json:"queued_at"`
	StartedAt *time.Time     `json:"started_at,omitempty"`
	EndedAt   *time.Time     `json:"ended_at,omitempty"`
	Error     string         `json:"error,omitempty"`
	Steps     []TrainingStep `json:"steps" doc:"Where each phase of each model is."`
	Curves    []Curve        `json:"curves"`
	Bundle    *Bundle        `json:"bundle,omitempty" doc:"What it made."`
}

// TrainingStep is how far a phase of a model is.
type TrainingStep struct {
	Model string `json:"model"`
	Phase string `json:"phase" example:"epoch"`
	Done  int    `json:"done"`
	Total int    `json:"total"`
}

// Curve is the loss of one model, or its metric on what is held out.
type Curve struct {
	Model  string       `json:"model"`
	Of     string       `json:"of" enum:"loss,metric"`
	Points []CurvePoint `json:"points"`
}

// CurvePoint is one value.
type CurvePoint struct {
	Step  int     `json:"step"`
	Value float64 `json:"value"`
}

type modelsOutput struct {
	Body struct {
		Bundles []Bundle `json:"bundles" doc:"Oldest first."`
		Held    bool     `json:"held" doc:"Somebody has rolled back: newly trained models are not promoted by themselves until one is promoted by hand."`
	}
}

func (a *api) listModels(ctx context.Context, _ *struct{}) (*modelsOutput, error) {
	bundles, held, err := a.Models.Bundles(ctx, callerOf(ctx).tenant)
	if err != nil {
		return nil, err
	}
	var out modelsOutput
	out.Body.Bundles, out.Body.Held = append([]Bundle{}, bundles...), held
	return &out, nil
}

func (a *api) promoteModels(ctx context.Context, in *struct {
	Version string `path:"version"`
}) (*modelsOutput, error) {
	if err := a.Models.Promote(ctx, callerOf(ctx).tenant, in.Version); err != nil {
		return nil, err
	}
	return a.listModels(ctx, nil)
}

func (a *api) rollbackModels(ctx context.Context, _ *struct{}) (*modelsOutput, error) {
	if err := a.Models.Rollback(ctx, callerOf(ctx).tenant); err != nil {
		return nil, err
	}
	return a.listModels(ctx, nil)
}

type runOutput struct{ Body TrainingRun }

func (a *api) trainModels(ctx context.Context, in *struct {
	Body struct {
		Models []string `json:"models,omitempty" doc:"Names of the models to try; a wrong one is answered with those there are." maxItems:"20"`
	}
}) (*runOutput, error) {
	run, err := a.Models.Train(ctx, callerOf(ctx).tenant, in.Body.Models)
	return &runOutput{run}, err
}

func (a *api) getRun(ctx context.Context, in *struct {
	ID string `path:"id"`
}) (*runOutput, error) {
	run, err := a.Models.Run(ctx, callerOf(ctx).tenant, in.ID)
	return &runOutput{run}, err
}

func (a *api) cancelRun(ctx context.Context, in *struct {
	ID string `path:"id"`
}) (*runOutput, error) {
	run, err := a.Models.Cancel(ctx, callerOf(ctx).tenant, in.ID)
	return &runOutput{run}, err
}

type runsOutput struct {
	Body struct {
		Runs []TrainingRun `json:"runs" doc:"Newest first."`
	}
}

func (a *api) listRuns(ctx context.Context, in *struct {
	Limit int `query:"limit" minimum:"1" maximum:"100" default:"20"`
}) (*runsOutput, error) {
	runs, err := a.Models.Runs(ctx, callerOf(ctx).tenant, in.Limit)
	if err != nil {
		return nil, err
	}
	var out runsOutput
	out.Body.Runs = append([]TrainingRun{}, runs...)
	return &out, nil
}
