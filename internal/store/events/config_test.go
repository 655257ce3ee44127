package events

import (
	"strings"
	"testing"
)

func TestTheDefaultConfigIsValid(t *testing.T) {
	if errs := DefaultConfig().Validate(); len(errs) != 0 {
		t.Error(errs)
	}
}

func TestValidateNamesEveryWrongField(t *testing.T) {
	errs := Config{MaxWait: -1}.Validate()
	for _, field := range []string{"retention.logs", "retention.spans", "seal_after", "seal_idle", "max_wait", "head_rows", "head_bytes"} {
		found := false
		for _, err := range errs {
			found = found || strings.HasPrefix(err.Error(), field+": must be")
		}
		if !found {
			t.Errorf("nothing is said about %s: %v", field, errs)
		}
	}
	bad := DefaultConfig()
	bad.MaxBytes = bad.HeadBytes
	if errs := bad.Validate(); len(errs) != 1 || !strings.HasPrefix(errs[0].Error(), "max_bytes: must be at least twice") {
		t.Errorf("errs = %v", errs)
	}
}
