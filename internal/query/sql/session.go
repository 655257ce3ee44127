package sql

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	duckdb "github.com/duckdb/duckdb-go/v2"

	"github.com/signalbox-project/signalbox/internal/query/sql/guard"
)

// session is one in-memory DuckDB with one connection.
type session struct {
	db   *sql.DB
	conn *sql.Conn
}

func openSession(ctx context.Context, cfg Config) (*session, error) {
	dsn := fmt.Sprintf("?memory_limit=%dB&threads=%d", cfg.MemoryBytes, cfg.Threads)
	connector, err := duckdb.NewConnector(dsn, nil)
	if err != nil {
		return nil, fmt.Errorf("open duckdb: %w", err)
	}
	db := sql.OpenDB(connector)
	conn, err := db.Conn(ctx)
	if err != nil {
		_ = db.Close()
		return nil, fmt.Errorf("connect to duckdb: %w", err)
	}
	s := &session{db: db, conn: conn}
	for _, setting := range []string{
		"SET autoinstall_known_extensions = false",
		"SET autoload_known_extensions = false",
		"SET allow_community_extensions = false",
		"SET temp_directory = ''",
		"SET max_temp_directory_size = '0KB'",
		"SET TimeZone = 'UTC'",
		"SET errors_as_json = true",
		"SET enable_progress_bar = false",
		"SET parquet_metadata_cache = true",
		// Timestamps of events have ns and no zone, with which DuckDB does not
		// compare its now(); ours is the same moment in UTC without a zone.
		"CREATE MACRO now() AS transaction_timestamp()::TIMESTAMP",
		"CREATE MACRO get_current_timestamp() AS transaction_timestamp()::TIMESTAMP",
		"CREATE MACRO ago(i) AS transaction_timestamp()::TIMESTAMP - i::INTERVAL",
	} {
		if err := s.exec(ctx, setting); err != nil {
			s.close()
			return nil, err
		}
	}
	return s, nil
}

// check lets pass what guard allows over our tables.
func (s *session) check(ctx context.Context, query string) (guard.Plan, error) {
	rules := guard.Rules{Tables: tableNames(), AttrPrefix: attrPrefix, Hidden: internalPrefix}
	return guard.Check(ctx, func(ctx context.Context, text string) (tree string, err error) {
		err = s.conn.QueryRowContext(ctx, "SELECT json_serialize_sql(CAST($1 AS VARCHAR), skip_default := true)::VARCHAR", text).Scan(&tree)
		return tree, err
	}, rules, query)
}

func (s *session) exec(ctx context.Context, statement string) error {
	if _, err := s.conn.ExecContext(ctx, statement); err != nil {
		return fmt.Errorf("prepare session (%.60s): %w", statement, err)
	}
	return nil
}

// lock leaves only files to be read and no setting to be changed.
func (s *session) lock(ctx context.Context, files []string) error {
	for _, setting := range []string{
		"SET allowed_paths = " + listLiteral(files),
		"SET enable_external_access = false",
		"SET lock_configuration = true",
	} {
		if err := s.exec(ctx, setting); err != nil {
			return err
		}
	}
	return nil
}

// close frees everything; what cannot be closed is in memory only.
func (s *session) close() {
	_ = s.conn.Close()
	_ = s.db.Close()
}

// literal is a SQL string.
func literal(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// name is a SQL identifier.
func name(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }

func listLiteral(list []string) string {
	quoted := make([]string, len(list))
	for i, s := range list {
		quoted[i] = literal(s)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}
