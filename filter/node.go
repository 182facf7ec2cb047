package filter

// Node is a filter's tree for an index to push down, after user.*, context.*,
// now() and all that is constant have been replaced by their values. It is
// one of And, Or, Not, Compare, In, Null, Const or Opaque.
type Node interface{ node() }

// And is true where all of it are; an empty one is true.
type And []Node

// Or is true where any of it is; an empty one is false.
type Or []Node

// Not turns its operand round. Operands have two values, never a third: a
// comparison with a null field is false, and its Not is true.
type Not struct{ Of Node }

// Op is a comparison.
type Op string

// The comparisons. On a Strings field Eq means that some element equals; the
// others do not occur there.
const (
	Eq Op = "=="
	Lt Op = "<"
	Le Op = "<="
	Gt Op = ">"
	Ge Op = ">="
)

// Compare is field Op value; value is a string, float64, bool or time.Time.
// It is false where the field is null.
type Compare struct {
	Field string
	Op    Op
	Value any
}

// In is true where the field equals one of the values (for a Strings field:
// where some element does).
type In struct {
	Field  string
	Values []any
}

// Null is true where the item lacks the field. A list without elements counts
// as lacking, since a column cannot tell the two apart.
type Null struct{ Field string }

// Const is true or false for every item.
type Const bool

// Opaque is what a tree cannot say (len, all, arithmetic over fields): only
// Match knows. An index must let through whatever may pass, also under a Not:
// see Relax.
type Opaque struct{}

func (And) node()     {}
func (Or) node()      {}
func (Not) node()     {}
func (Compare) node() {}
func (In) node()      {}
func (Null) node()    {}
func (Const) node()   {}
func (Opaque) node()  {}
