package openslo

import "github.com/signalbox-project/signalbox/internal/document"

// Files are how SLO files are found and read.
func Files() document.Files {
	return document.Files{What: "SLO file", Setting: "slo_files", MaxBytes: 4 << 20}
}

// ParseAll reads the documents of several files.
func ParseAll(files []document.File) (docs Documents, problems []Problem) {
	for _, f := range files {
		d, ps := Parse(f.Path, f.Text)
		problems = append(problems, ps...)
		docs.Append(d)
	}
	return docs, problems
}
