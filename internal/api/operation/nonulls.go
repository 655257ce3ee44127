package operation

import (
	"encoding/json"
	"reflect"
	"strings"
)

// noNulls is v with every nil slice and map that JSON would show replaced by
// an empty one. What v shares with its maker is copied before it is changed,
// never written to. Types with a JSON form of their own are left alone.
func noNulls[T any](v T) T {
	rv := reflect.ValueOf(&v).Elem()
	if fixed, changed := fixNulls(rv); changed {
		rv.Set(fixed)
	}
	return v
}

func fixNulls(v reflect.Value) (reflect.Value, bool) {
	t := v.Type()
	if t.Implements(reflect.TypeFor[json.Marshaler]()) {
		return v, false
	}
	switch t.Kind() {
	case reflect.Slice:
		return fixSlice(v)
	case reflect.Map:
		if v.IsNil() {
			return reflect.MakeMap(t), true
		}
	case reflect.Pointer:
		if v.IsNil() || t.Elem().Kind() != reflect.Struct {
			return v, false
		}
		if fixed, changed := fixNulls(v.Elem()); changed {
			p := reflect.New(t.Elem())
			p.Elem().Set(fixed)
			return p, true
		}
	case reflect.Struct:
		return fixStruct(v)
	}
	return v, false
}

func fixSlice(v reflect.Value) (reflect.Value, bool) {
	t := v.Type()
	if v.IsNil() {
		return reflect.MakeSlice(t, 0, 0), true
	}
	switch t.Elem().Kind() {
	case reflect.Struct, reflect.Slice, reflect.Map, reflect.Pointer:
	default:
		return v, false
	}
	if t.Elem().Implements(reflect.TypeFor[json.Marshaler]()) {
		return v, false
	}
	var out reflect.Value
	for i := range v.Len() {
		fixed, changed := fixNulls(v.Index(i))
		if !changed {
			continue
		}
		if !out.IsValid() {
			out = reflect.MakeSlice(t, v.Len(), v.Len())
			reflect.Copy(out, v)
		}
		out.Index(i).Set(fixed)
	}
	if out.IsValid() {
		return out, true
	}
	return v, false
}

func fixStruct(v reflect.Value) (reflect.Value, bool) {
	t := v.Type()
	var out reflect.Value
	for i := range t.NumField() {
		f := t.Field(i)
		if !f.IsExported() || strings.Contains(f.Tag.Get("json"), ",omit") {
			continue
		}
		fixed, changed := fixNulls(v.Field(i))
		if !changed {
			continue
		}
		if !out.IsValid() {
			out = reflect.New(t).Elem()
			out.Set(v)
		}
		out.Field(i).Set(fixed)
	}
	if out.IsValid() {
		return out, true
	}
	return v, false
}
