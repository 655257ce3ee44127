package document

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	promconfig "github.com/prometheus/common/config"
	"go.yaml.in/yaml/v3"
)

type texts struct {
	A string            `yaml:"a"`
	B []string          `yaml:"b"`
	C map[string]string `yaml:"c"`
}

func decodeTexts(text string) (got texts, problems []Problem) {
	r, docs := Parse("a.yaml", []byte(text))
	for _, doc := range docs {
		doc.Decode(&got, "")
	}
	return got, r.Problems()
}

// A text is decoded as it is written, in every form of YAML and wherever it stands.
func TestTextsAreDecodedAsTheyStand(t *testing.T) {
	for form, want := range map[string]string{
		"x\ty": "x\ty", "x\ty # c": "x\ty", "x\ty\n    z\tw\n\n    q": "x\ty z\tw\nq",
		"|\n    x\ty\n    z": "x\ty\nz\n", ">-\n    x\n    y": "x y", "|+\n    x\n": "x\n\n", "'x\ty'": "x\ty", `"x\ty\n"`: "x\ty\n",
	} {
		for text, want := range map[string]texts{
			"a: " + form + "\n":       {A: want},
			"b:\n  - " + form + "\n":  {B: []string{want}},
			"c:\n  k: " + form + "\n": {C: map[string]string{"k": want}},
		} {
			got, problems := decodeTexts(text)
			if diff := cmp.Diff(want, got); diff != "" || len(problems) > 0 {
				t.Errorf("%q: %v %s", text, problems, diff)
			}
		}
	}
}

// What another library writes is read as the same, or refused. No line begins with a tab: there the parser is at fault.
func TestTextsOfAnotherLibraryAreDecodedAlike(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	pieces := []string{"a", "b c", "x\ty", "\n", " ", ": ", "#", " #", "'", `"`, "-", "0", "true", "é", "{", "]", "|", ">", "%", "\\", "&x", "*"}
	draw := func() string {
		var b strings.Builder
		for range rnd.IntN(7) {
			b.WriteString(pieces[rnd.IntN(len(pieces))])
		}
		return strings.TrimLeft(b.String(), " \n") // the other library counts those wrong
	}
	refused := 0
	for range 3000 {
		want := texts{A: draw(), B: []string{draw(), draw()}, C: map[string]string{"k": draw()}}
		text, err := yaml.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		got, problems := decodeTexts(string(text))
		if len(problems) > 0 {
			refused++
			continue
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%q: %s", text, diff)
		}
	}
	if refused > 300 {
		t.Errorf("%d of 3000 are refused", refused)
	}
}

// A pointer to what decodes itself, as Prometheus' client configuration does, was left nil without a word.
func TestAPointerToWhatDecodesItselfIsSet(t *testing.T) {
	var v struct {
		HTTP *promconfig.HTTPClientConfig `yaml:"http_config"`
		None *promconfig.HTTPClientConfig `yaml:"none"`
	}
	r, docs := Parse("f.yml", []byte("http_config: {tls_config: {ca_file: ca}, authorization: {credentials_file: token}, http_headers: {X-Key: {files: [k]}}}\n"))
	docs[0].Decode(&v, "")
	if v.HTTP == nil || v.HTTP.TLSConfig.CAFile != "ca" || v.HTTP.Authorization.CredentialsFile != "token" || !v.HTTP.FollowRedirects || v.HTTP.HTTPHeaders == nil || v.None != nil || len(r.Problems()) != 0 {
		t.Errorf("%+v %v", v, r.Problems())
	}
	for text, want := range map[string]string{"{authorisation: {}}": "authorisation", "{follow_redirects: s3cret}": "bool"} {
		r, docs = Parse("f.yml", []byte("http_config: "+text+"\n"))
		docs[0].Decode(&v, "")
		if p := r.Problems(); len(p) != 1 || !strings.Contains(p[0].Message, want) || strings.Contains(p[0].Message, "s3cret") {
			t.Errorf("%s: %v", text, p)
		}
	}
}

func TestAPointerToAScalarIsRead(t *testing.T) {
	r, docs := Parse("f.yml", []byte("off: false\nnone: 0\nempty: \"\"\nnull_: null\nbad: maybe\n"))
	yes, one, text := true, 1, "x"
	v := struct {
		Off    *bool   `yaml:"off"`
		None   *int    `yaml:"none"`
		Empty  *string `yaml:"empty"`
		Null   *bool   `yaml:"null_"`
		Absent *bool   `yaml:"absent"`
		Bad    *bool   `yaml:"bad"`
	}{&yes, &one, &text, nil, &yes, &yes}
	docs[0].Decode(&v, "")
	if *v.Off || *v.None != 0 || *v.Empty != "" || v.Null != nil || !*v.Absent || !*v.Bad || r.Errors() != 1 {
		t.Errorf("%v %v %v %v %v %v; %v", *v.Off, *v.None, *v.Empty, v.Null, *v.Absent, *v.Bad, r.Problems())
	}
	if !yes || one != 1 || text != "x" {
		t.Error("a value that others hold was changed")
	}
}
