package show

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"github.com/goccy/go-yaml"
	"github.com/spf13/pflag"
)

// Answer is a server's answer, decoded for people and as it came for programs: fields of a newer server stay.
type Answer[T any] struct {
	Value T
	raw   json.RawMessage
}

// UnmarshalJSON implements json.Unmarshaler.
func (a *Answer[T]) UnmarshalJSON(text []byte) error {
	a.raw = slices.Clone(text)
	return json.Unmarshal(text, &a.Value)
}

// Print writes the answer in the form that was asked for; table writes the one for people.
func (a *Answer[T]) Print(w io.Writer, as Form, table func(io.Writer, T)) error {
	switch as {
	case JSON:
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		enc.SetEscapeHTML(false)
		return enc.Encode(a.raw)
	case YAML:
		text, err := yaml.JSONToYAML(a.raw)
		if err != nil {
			return fmt.Errorf("write YAML: %w", err)
		}
		_, err = w.Write(text)
		return err
	}
	table(w, a.Value)
	return nil
}

// Form is how an answer is printed. It is a flag.
type Form string

// The forms.
const (
	Columns Form = "table"
	JSON    Form = "json"
	YAML    Form = "yaml"
)

// Flag lets the user choose.
func (f *Form) Flag(fs *pflag.FlagSet) {
	*f = Columns
	fs.VarP(f, "output", "o", "table, json or yaml")
}

// String implements pflag.Value.
func (f *Form) String() string { return string(*f) }

// Type implements pflag.Value.
func (f *Form) Type() string { return "form" }

// Set implements pflag.Value.
func (f *Form) Set(text string) error {
	if !slices.Contains([]Form{Columns, JSON, YAML}, Form(text)) {
		return fmt.Errorf("give table, json or yaml")
	}
	*f = Form(text)
	return nil
}
