package head

import (
	"encoding/binary"
	"strings"

	"github.com/signalbox-project/signalbox/internal/model"
)

// Resources is a column of resources as codes: a head sees few distinct ones.
type Resources struct {
	Codes  []uint32
	Values []*model.Resource // distinct by content; never changed
}

// At is row i.
func (r *Resources) At(i int) *model.Resource { return r.Values[r.Codes[i]] }

type resourceDict struct {
	byText map[string]uint32
	last   *model.Resource // of the batch at hand: runs share a pointer
	code   uint32
	key    []byte
}

func newResourceDict() resourceDict { return resourceDict{byText: map[string]uint32{}} }

func (d *resourceDict) append(col *Resources, r *model.Resource) {
	if r == d.last && r != nil {
		col.Codes = append(col.Codes, d.code)
		return
	}
	if r == nil {
		r = &model.Resource{}
	}
	d.key = resourceKey(d.key[:0], r)
	c, ok := d.byText[string(d.key)]
	if !ok {
		c = uint32(len(col.Values))
		d.byText[string(d.key)] = c
		col.Values = append(col.Values, cloneResource(r))
	}
	d.last, d.code = r, c
	col.Codes = append(col.Codes, c)
}

// forget drops the last pointer: the next batch may reuse its memory.
func (d *resourceDict) forget() { d.last = nil }

func resourceKey(dst []byte, r *model.Resource) []byte {
	for _, s := range [...]string{r.Tenant, r.Service, r.Namespace, r.Env, r.Region, r.Version, r.Instance} {
		dst = binary.AppendUvarint(dst, uint64(len(s)))
		dst = append(dst, s...)
	}
	for _, a := range r.Attrs {
		dst = binary.AppendUvarint(dst, uint64(len(a.Key)))
		dst = append(dst, a.Key...)
		v := a.Value
		dst = append(dst, byte(v.Kind()))
		s := v.String()
		dst = binary.AppendUvarint(dst, uint64(len(s)))
		dst = append(dst, s...)
	}
	return dst
}

// cloneResource copies r with its strings, so that a head never pins a
// request's buffer.
func cloneResource(r *model.Resource) *model.Resource {
	text := func(s string) string { return strings.Clone(clean(s)) }
	out := &model.Resource{
		Tenant: text(r.Tenant), Service: text(r.Service), Namespace: text(r.Namespace), Env: text(r.Env),
		Region: text(r.Region), Version: text(r.Version), Instance: text(r.Instance),
	}
	for _, a := range r.Attrs {
		v := stored(a.Value)
		switch v.Kind() {
		case model.KindString:
			v = model.StringValue(strings.Clone(v.Str()))
		case model.KindJSON:
			v = model.JSONValue(strings.Clone(v.Str()))
		}
		out.Attrs = append(out.Attrs, model.Attr{Key: text(a.Key), Value: v})
	}
	return out
}
