// Package nearest finds the name that somebody most likely meant.
//
// It compares by edit distance and knows nothing of what the names are for.
package nearest

// Name is the candidate closest to name, or "" when none is close: at most a
// third of its letters, and never more than three, may differ.
func Name(name string, candidates []string) string {
	best, least := "", min(3, max(1, len(name)/3))+1
	for _, c := range candidates {
		if d := distance(name, c); d < least || d == least && best != "" && c < best {
			best, least = c, d
		}
	}
	return best
}

// distance is Levenshtein's, in bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			diagonal, row[j] = row[j], min(row[j]+1, row[j-1]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
