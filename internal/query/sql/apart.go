package sql

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/signalbox-project/signalbox/internal/access"
	"github.com/signalbox-project/signalbox/internal/query/sql/guard"
	"github.com/signalbox-project/signalbox/internal/store/events/disk"
)

// Who sees only some namespaces asks a copy that holds no other rows. A condition in the view would not do: DuckDB moves and reorders
// conditions, and an expression of the query that fails on a row of others, or how many rows a plan says were read, tells of them.

// permitted says what may be seen of each table, and refuses a query that names one of which nothing may, before anything is read for it.
func permitted(ctx context.Context, tables map[string]bool) (map[string]access.Scope, error) {
	needs := map[string]access.Permission{"logs": access.LogsRead, "spans": access.TracesRead}
	for _, t := range stateTables() {
		needs[t.name] = t.needs
	}
	scopes := map[string]access.Scope{}
	for _, table := range slices.Sorted(maps.Keys(tables)) {
		if !tables[table] {
			continue
		}
		scope := access.ScopeFor(ctx, needs[table])
		if scope.None() {
			return nil, guard.Refused(-1, fmt.Sprintf("the table %s needs the permission %s, which you do not have", table, needs[table]))
		}
		if !scope.All && access.ClassOf(needs[table]) != access.Scoped {
			return nil, guard.Refused(-1, fmt.Sprintf("the table %s is for those who see all namespaces, and you see %s", table, scope.Text()))
		}
		scopes[table] = scope
	}
	return scopes, nil
}

// keepApart replaces the files by copies without the rows that the caller does not see. They stand in the room of the query, which
// goes with it, and the session opens nothing else afterwards.
func (j *job) keepApart(ctx context.Context, s *session) (err error) {
	for _, rows := range []*eventRows{&j.Logs, &j.Spans} {
		if rows.Files, err = s.own(ctx, j.Tenant, rows.Files, rows.Of, rows.Own); err != nil {
			return err
		}
	}
	return nil
}

// rowGroup bounds what a copy holds in memory: rows are wide.
const rowGroup = 8192

func (s *session) own(ctx context.Context, tenant string, files []string, scope access.Scope, path string) ([]string, error) {
	if scope.All || len(files) == 0 {
		return files, nil
	}
	if err := roomFor(files, path); err != nil {
		return nil, err
	}
	names := make([]string, 0, len(scope.Names))
	for _, n := range scope.Names {
		if n != "" {
			names = append(names, literal(n))
		}
	}
	err := s.exec(ctx, fmt.Sprintf("COPY (SELECT * FROM read_parquet(%s, union_by_name = true) WHERE tenant = %s AND namespace IN (%s)) TO %s (FORMAT parquet, COMPRESSION lz4_raw, ROW_GROUP_SIZE %d, USE_TMP_FILE false)",
		listLiteral(files), literal(tenant), strings.Join(names, ", "), literal(path), rowGroup))
	return []string{path}, err
}

// roomFor refuses a copy that might fill the disk that telemetry is kept on: it is at most as large as what it is made of, and half of what is free stays.
func roomFor(files []string, path string) error {
	if strings.HasPrefix(path, "/proc/") {
		return nil // in memory, where what it is made of was counted
	}
	var size uint64
	for _, f := range files {
		info, err := os.Stat(f)
		if err != nil {
			return fmt.Errorf("size of rows: %w", err)
		}
		size += uint64(info.Size())
	}
	free, _, err := disk.OS{}.Free(filepath.Dir(path))
	if err != nil {
		return fmt.Errorf("free disk: %w", err)
	}
	if size > free/2 {
		return &Error{
			Message: "there is not enough free disk to set the rows of your namespaces apart for SQL", At: -1, Kind: "refused",
			Advice: "ask by search, or somebody who sees all namespaces",
		}
	}
	return nil
}
