package train

import (
	"time"

	"upnext/train/tensorboard"
)

// curves writes a run for TensorBoard; nil writes nothing.
type curves struct {
	*tensorboard.Writer
	warn func(error)
}

func (r *Runner) board(run string) *curves {
	if r.Board == "" {
		return nil
	}
	warn := func(err error) { r.Trainer.Logger.Warn("no curves for TensorBoard", "run", run, "error", err) }
	w, err := tensorboard.Create(r.Board, run, time.Now)
	if err != nil {
		warn(err)
		return nil
	}
	return &curves{w, warn}
}

func (c *curves) write(added []Curve) {
	if c == nil {
		return
	}
	for _, a := range added {
		for _, p := range a.Points {
			if err := c.Scalar(a.Model+"/"+a.Of, p.Step, p.Value); err != nil {
				c.warn(err)
			}
		}
	}
}

func (c *curves) close() {
	if c != nil {
		if err := c.Close(); err != nil {
			c.warn(err)
		}
	}
}
