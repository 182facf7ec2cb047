package rabitq

import "os"

// writeZeros reserves space where the system cannot: by writing it. What was
// written before it failed is cut off again, so that another try starts anew.
func writeZeros(f *os.File, offset, count int64) error {
	zeros := make([]byte, 1<<20)
	for at, end := offset, offset+count; at < end; {
		n, err := f.WriteAt(zeros[:min(int64(len(zeros)), end-at)], at)
		if err != nil {
			_ = f.Truncate(offset) // the first error is the one to tell
			return err
		}
		at += int64(n)
	}
	return nil
}
