package guard

import (
	_ "embed"
	"slices"
	"strings"
)

// functionList holds the scalar, aggregate and window functions, macros and
// operators that see nothing but their arguments: no settings, catalog, files,
// environment, sessions or sequences, and that neither run SQL from a
// text, nor write, nor wait.
//
//go:embed functions.txt
var functionList string

func functions() []string { return strings.Fields(functionList) }

func isFunction(name string) bool { return slices.Contains(functions(), name) }

// isTableFunction lists the table functions that read nothing but their arguments.
func isTableFunction(name string) bool {
	switch name {
	case "unnest", "range", "generate_series", "generate_subscripts", "json_each", "json_tree", "repeat":
		return true
	}
	return false
}

// isExpression lists the classes of expression in DuckDB's syntax trees.
func isExpression(class string) bool {
	switch class {
	case "BETWEEN", "CASE", "CAST", "COLLATE", "COLUMN_REF", "COMPARISON", "CONJUNCTION", "CONSTANT", "FUNCTION", "LAMBDA",
		"OPERATOR", "POSITIONAL_REFERENCE", "STAR", "SUBQUERY", "WINDOW":
		return true
	case "PARAMETER":
		return true // answered with better advice where parameters are counted
	}
	return false
}

// isNode lists the other kinds of node: queries, tables, what modifies a query, and
// descriptions of types.
func isNode(kind string) bool {
	switch kind {
	case "SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE":
	case "BASE_TABLE", "EMPTY", "EXPRESSION_LIST", "JOIN", "PIVOT", "SHOW_REF", "SUBQUERY", "TABLE_FUNCTION":
	case "DISTINCT_MODIFIER", "LIMIT_MODIFIER", "LIMIT_PERCENT_MODIFIER", "ORDER_MODIFIER", "ORDER_DEFAULT", "ASCENDING", "DESCENDING":
	case "ARRAY_TYPE_INFO", "DECIMAL_TYPE_INFO", "GENERIC_TYPE_INFO", "LIST_TYPE_INFO", "STRING_TYPE_INFO", "STRUCT_TYPE_INFO", "UNBOUND_TYPE_INFO":
	default:
		return false
	}
	return true
}
