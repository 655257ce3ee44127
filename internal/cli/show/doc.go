// Package show prints what commands answer: aligned columns for people, JSON or YAML for programs.
//
// It asks nothing. In: cells, or a server's answer as it came. Out: text that a terminal may show: what would act on it is
// escaped in tables. Start reading at Table, then output.go.
package show
