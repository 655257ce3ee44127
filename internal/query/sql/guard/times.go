package guard

import (
	"slices"
	"strings"
)

// Times are constants between which the timestamps of rows must lie that one reference to a table lets through, as syntax
// trees. Rows outside cannot change the query's answer; those within need not be let through.
type Times struct{ After, Before []any }

// timesOf reads the conditions of a SELECT that takes rows from one of our tables alone, and notes them with the plan. What is
// not surely such a condition on the table's own column is none.
func (w *walker) timesOf(n map[string]any) {
	from, _ := n["from_table"].(map[string]any)
	table, _ := from["table_name"].(string)
	lower := strings.ToLower(table)
	if from["type"] != "BASE_TABLE" || w.ctes[lower] || from["column_name_alias"] != nil || from["sample"] != nil || n["sample"] != nil || renamesTime(n) {
		return
	}
	name, _ := from["alias"].(string)
	if name == "" {
		name = table
	}
	var t Times
	t.add(n["where_clause"], name)
	w.plan.Times[lower] = append(w.plan.Times[lower], t)
}

// renamesTime says whether something in the list of columns is called as the column is: conditions may then mean that.
func renamesTime(n map[string]any) bool {
	list, _ := n["select_list"].([]any)
	return slices.ContainsFunc(list, func(c any) bool {
		column, _ := c.(map[string]any)
		alias, _ := column["alias"].(string)
		return strings.EqualFold(alias, "timestamp")
	})
}

// add takes what a condition says of the timestamp, where it must hold for each row.
func (t *Times) add(condition any, table string) {
	c, _ := condition.(map[string]any)
	own := func(key string) bool { return isTime(c[key], table) }
	constant := func(key string) []any {
		if !isConstant(c[key]) {
			return nil
		}
		return []any{c[key]}
	}
	switch c["type"] {
	case "CONJUNCTION_AND":
		children, _ := c["children"].([]any)
		for _, child := range children {
			t.add(child, table)
		}
	case "COMPARE_GREATERTHAN", "COMPARE_GREATERTHANOREQUALTO", "COMPARE_LESSTHAN", "COMPARE_LESSTHANOREQUALTO", "COMPARE_EQUAL":
		kind, _ := c["type"].(string)
		for _, side := range [...]struct{ own, other, after, before string }{
			{"left", "right", "COMPARE_GREATERTHAN", "COMPARE_LESSTHAN"}, {"right", "left", "COMPARE_LESSTHAN", "COMPARE_GREATERTHAN"},
		} {
			if !own(side.own) {
				continue
			}
			if kind == "COMPARE_EQUAL" || strings.HasPrefix(kind, side.after) {
				t.After = append(t.After, constant(side.other)...)
			}
			if kind == "COMPARE_EQUAL" || strings.HasPrefix(kind, side.before) {
				t.Before = append(t.Before, constant(side.other)...)
			}
		}
	case "COMPARE_BETWEEN":
		if own("input") {
			t.After, t.Before = append(t.After, constant("lower")...), append(t.Before, constant("upper")...)
		}
	}
}

// isTime says whether an expression is the column timestamp of the table.
func isTime(expr any, table string) bool {
	e, _ := expr.(map[string]any)
	names, _ := e["column_names"].([]any)
	if e["type"] != "COLUMN_REF" || len(names) == 0 || len(names) > 2 {
		return false
	}
	last, _ := names[len(names)-1].(string)
	first, _ := names[0].(string)
	return strings.EqualFold(last, "timestamp") && (len(names) == 1 || strings.EqualFold(first, table))
}

// isConstant says whether an expression is the same for each row, and is surely compared as a time.
func isConstant(expr any) bool {
	e, _ := expr.(map[string]any)
	switch e["class"] {
	case "CONSTANT":
		return true
	case "CAST":
		to, _ := e["cast_type"].(map[string]any)
		id, _ := to["id"].(string)
		return slices.Contains([]string{"TIMESTAMP", "TIMESTAMP_NS", "TIMESTAMP_MS", "TIMESTAMP WITH TIME ZONE", "DATE", "INTERVAL", "BIGINT", "INTEGER", "DOUBLE"}, id) && isConstant(e["child"])
	case "FUNCTION":
		name, _ := e["function_name"].(string)
		children, _ := e["children"].([]any)
		return isTimeFunction(strings.ToLower(name)) && !slices.ContainsFunc(children, func(c any) bool { return !isConstant(c) })
	}
	return false
}

func isTimeFunction(name string) bool {
	return slices.Contains([]string{
		"-", "+", "ago", "now", "get_current_timestamp", "today", "current_date", "date_trunc", "trunc",
		"to_seconds", "to_minutes", "to_hours", "to_days", "to_weeks", "to_months", "to_years", "to_milliseconds",
	}, name)
}
