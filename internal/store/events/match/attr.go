package match

import (
	"slices"
	"strings"

	"github.com/parquet-go/parquet-go"

	"github.com/signalbox-project/signalbox/internal/model"
	"github.com/signalbox-project/signalbox/internal/store"
	"github.com/signalbox-project/signalbox/internal/store/events/head"
	"github.com/signalbox-project/signalbox/internal/store/events/part"
)

// maxListedFields is how many attribute keys a part's metadata lists; a key
// beyond may be there unlisted.
const maxListedFields = 1000

// attrColumn reads one attribute of a part: from its promoted column, else
// from the JSON column, and for spans from events and links; else from the resource.
type attrColumn struct {
	key      string
	needles  []string // "key": and those of objects on the way to it, as they stand in JSON
	promoted *Column  // nil if there is none
	kind     model.ValueKind
	json     *Column
	jsonDict [][]model.Value // by code, where json has a dictionary
	inner    *InnerColumns   // nil where events and links do not have it
	res      *Column
	resource [][]model.Value // by code of res
	anyRes   bool

	// The JSON page that was searched for needles last, and the outcome.
	searched parquet.Page
	inPage   bool

	list []model.Value // of the row asked last
}

// openAttr is nil when the part has no such attribute.
func (t *Table) openAttr(field string) (*attrColumn, error) {
	key := store.AttrKey(field)
	inner := t.Signal == part.Spans && t.MayHaveInner(key)
	if !inner && !t.listsField(key) {
		return nil, nil
	}
	a := &attrColumn{key: key, needles: needlesOf(waysTo(key))}
	var err error
	if kind, ok := t.PromotedKind(key); ok {
		a.kind = kind
		if a.promoted, err = t.Need(part.PromotedPrefix + key); err != nil {
			return nil, err
		}
	}
	if a.json, err = t.Need(part.ColAttributes); err != nil {
		return nil, err
	}
	if inner {
		if a.inner, err = t.OpenInner(innerNeedles(key)...); err != nil {
			return nil, err
		}
	}
	if a.json.dict != nil {
		if a.jsonDict, err = a.decodeDict(a.json.dict); err != nil {
			return nil, err
		}
	}
	return a, a.openResource(t)
}

func (a *attrColumn) openResource(t *Table) (err error) {
	if a.res, err = t.Need(part.ColResource); err != nil {
		return err
	}
	if a.res.dict == nil {
		return errShape
	}
	a.resource, err = a.decodeDict(a.res.dict)
	for _, list := range a.resource {
		a.anyRes = a.anyRes || len(list) > 0
	}
	return err
}

// waysTo are the keys under which a field may stand: its own name and those of objects that it
// may lie in.
func waysTo(field string) []string {
	ways := []string{field}
	for i := 1; i < len(field)-1; i++ {
		if field[i] == '.' {
			ways = append(ways, field[:i])
		}
	}
	return ways
}

// needlesOf are keys as they stand in JSON.
func needlesOf(keys []string) []string {
	out := make([]string, len(keys))
	for i, k := range keys {
		out[i] = string(head.AppendKeyJSON(nil, k))
	}
	return out
}

func holdsAny(text string, needles []string) bool {
	return slices.ContainsFunc(needles, func(n string) bool { return strings.Contains(text, n) })
}

func (t *Table) listsField(key string) bool {
	if len(t.Fields) >= maxListedFields {
		return true
	}
	ways := waysTo(key)
	return slices.ContainsFunc(t.Fields, func(f part.FieldCount) bool { return slices.Contains(ways, f.Key) })
}

func (a *attrColumn) decodeDict(d *dictionary) ([][]model.Value, error) {
	out := make([][]model.Value, d.n)
	for i := range out {
		var err error
		if out[i], err = a.decode(d.textAt(i)); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// decode takes the attribute's values out of a JSON object; last are further attributes behind those
// of the object.
func (a *attrColumn) decode(text string, last ...model.Attr) ([]model.Value, error) {
	if !holdsAny(text, a.needles) {
		return nil, nil
	}
	attrs, err := head.DecodeAttrsJSON(text)
	if err != nil {
		return nil, err
	}
	return store.AppendOwn(nil, append(attrs, last...), a.key), nil
}

// load makes the pages that hold row the current ones.
func (a *attrColumn) load(row int, withJSON bool) error {
	if a.promoted != nil {
		if err := a.promoted.Load(row); err != nil {
			return err
		}
	}
	if withJSON {
		if err := a.loadJSON(row); err != nil {
			return err
		}
	}
	if !a.anyRes {
		return nil
	}
	return a.res.Load(row)
}

func (a *attrColumn) loadJSON(row int) error {
	if err := a.json.Load(row); err != nil {
		return err
	}
	if a.json.codes != nil {
		a.inPage = true
	} else if a.json.page != a.searched {
		a.searched = a.json.page
		a.inPage = holdsAny(a.json.text, a.needles)
	}
	if a.inner == nil {
		return nil
	}
	return a.inner.Load(row)
}

// own appends the record's own values in row; texts are gone with the page.
func (a *attrColumn) own(row int, withJSON bool) error {
	var last []model.Attr
	if a.promoted != nil {
		if i := a.promoted.At(row); i >= 0 {
			v := a.promoted.ValueAt(a.kind, i)
			if v.Kind() != model.KindString || v.Str() != "" {
				a.list = append(a.list, v)
				return nil
			}
			// The last of a doubled key is empty: those before do not count.
			last = []model.Attr{{Key: a.key, Value: v}}
		}
	}
	if !withJSON || !a.inPage {
		return nil
	}
	i := a.json.At(row)
	if a.json.codes != nil && last == nil {
		a.list = append(a.list, a.jsonDict[a.json.codes[i]]...)
		return nil
	}
	list, err := a.decode(a.json.TextAt(i), last...)
	a.list = append(a.list, list...)
	return err
}

// values are those in row as store.AttrValues and store.SpanAttrValues define them, until the next
// call; load came before.
func (a *attrColumn) values(row int, withJSON bool) ([]model.Value, error) {
	a.list = a.list[:0]
	if err := a.own(row, withJSON); err != nil {
		return nil, err
	}
	if a.inner != nil && withJSON {
		a.list = a.inner.appendValues(a.list, a.key, row)
	}
	if len(a.list) == 0 && a.anyRes {
		return a.resource[a.res.codes[a.res.At(row)]], nil
	}
	return a.list, nil
}

// text is the first of a row's values as text, "" when there is none.
func (a *attrColumn) text(row int) (string, error) {
	list, err := a.values(row, true)
	if err != nil || len(list) == 0 {
		return "", err
	}
	return list[0].String(), nil
}
