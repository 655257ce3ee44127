package sql

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	duckdb "github.com/duckdb/duckdb-go/v2"

	"github.com/signalbox-project/signalbox/internal/query/sql/guard"
)

// Error is a fault of the query, to be shown to who wrote it.
type Error = guard.Error

// outcome is the metric's label.
func outcome(err error) string {
	var e *Error
	switch {
	case err == nil:
		return "ok"
	case errors.As(err, &e) && e.Kind != "":
		return e.Kind
	case errors.As(err, &e):
		return "bad"
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return "timeout"
	}
	return "error"
}

// explain turns DuckDB's errors into what the query's writer can use. Kinds
// that speak of files or of DuckDB itself stay internal.
func explain(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("query ended: %w", ctx.Err())
	}
	var de *duckdb.Error
	if !errors.As(err, &de) {
		return err
	}
	f := parseFault(de.Msg)
	switch f.kind {
	case "Parser", "Syntax", "Binder", "Catalog", "Conversion", "Invalid Input", "Invalid", "Out of Range", "Mismatch Type", "Not implemented", "Divide by Zero", "Expression", "Scalar Value", "Invalid type":
		return &Error{Message: f.message, At: f.position, Advice: f.advice}
	case "Out of Memory":
		return memoryError()
	case "Permission":
		return guard.Refused(-1, "files, extensions and settings are out of reach")
	}
	return fmt.Errorf("duckdb: %w", err)
}

func memoryError() *Error {
	return &Error{
		Message: "the query needs more memory than it may use", At: -1, Kind: "memory",
		Advice: "narrow the time range, select fewer columns, or aggregate",
	}
}

// fault is a DuckDB error taken apart.
type fault struct {
	kind, message, advice string
	position              int
}

// parseFault reads both forms: JSON (errors_as_json) and text with a caret.
func parseFault(msg string) fault {
	var j struct {
		Type     string `json:"exception_type"`
		Message  string `json:"exception_message"`
		Position string `json:"position"`
	}
	text := msg
	if i := strings.IndexByte(text, '{'); i >= 0 && json.Unmarshal([]byte(text[i:]), &j) == nil && j.Type != "" {
		f := fault{kind: j.Type, position: -1}
		f.message, f.advice = splitAdvice(firstParagraph(j.Message))
		if p, err := strconv.Atoi(j.Position); err == nil {
			f.position = p
		}
		return f
	}
	kind, rest, ok := strings.Cut(text, " Error: ")
	if !ok {
		return fault{message: text, position: -1}
	}
	return fault{kind: kind, message: firstParagraph(rest), position: -1}
}

// firstParagraph leaves out the quoted line and DuckDB's hints to its shell.
func firstParagraph(s string) string {
	s, _, _ = strings.Cut(s, "\n\nLINE ")
	s, _, _ = strings.Cut(s, "\n\n")
	return strings.TrimSpace(s)
}

// splitAdvice parts a message from the suggestion on its second line.
func splitAdvice(s string) (message, advice string) {
	message, advice, _ = strings.Cut(s, "\n")
	return strings.TrimSpace(message), strings.TrimSpace(advice)
}
