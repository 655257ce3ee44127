package statuspage

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The files of the documentation and of the example are read without a word.
func TestTheDocumentedFilesAreRead(t *testing.T) {
	text, err := os.ReadFile("../../docs/status-pages.md")
	if err != nil {
		t.Fatal(err)
	}
	read := 0
	for _, part := range strings.Split(string(text), "```yaml\n# status/pages.yml\n")[1:] {
		block, _, _ := strings.Cut(part, "```")
		file := filepath.Join(t.TempDir(), "pages.yml")
		if err := os.WriteFile(file, []byte(block), 0o600); err != nil {
			t.Fatal(err)
		}
		if pages, problems := Load([]string{file}); len(pages) == 0 || len(problems) > 0 {
			t.Errorf("%v\n%s", problems, block)
		}
		read++
	}
	if read < 2 {
		t.Errorf("%d files in the documentation", read)
	}
	if pages, problems := Load([]string{"../../examples/broker/status/*.yml"}); len(pages) != 2 || len(problems) > 0 {
		t.Errorf("%d pages, %v", len(pages), problems)
	}
}
