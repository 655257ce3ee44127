// Package broker is the example platform's configuration: SLOs, rules, policies,
// routing and fault schedules of a broker platform, as a user would write them.
//
// It holds files and nothing else. The demo copies them beside its data, where
// users may edit them; the tests load every one of them with the loader that
// the program uses. Start reading at README.md.
package broker

import "embed"

// Files is this folder: signalbox.yml, slos/, rules/, policies/, probes/, oncall/, catalog/, runbooks/, remedies/, status/, faults/ and the
// Alertmanager files.
//
//go:embed *.yml slos/*.yaml rules/*.yml detectors/*.yml policies/*.yml probes/*.yml oncall/*.yml catalog/*.yaml runbooks/*.md remedies/*.yml remedies/scenarios/*.yml status/*.yml faults/*.yaml README.md
var Files embed.FS
