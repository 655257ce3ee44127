package suites

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/golang/snappy"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/prompb"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
)

var client = &http.Client{Timeout: 30 * time.Second}

// write sends one remote write request of version 1.
func write(base string, series []prompb.TimeSeries) error {
	raw, err := (&prompb.WriteRequest{Timeseries: series}).Marshal()
	if err != nil {
		return err
	}
	req, err := http.NewRequest(http.MethodPost, base+"/api/v1/write", bytes.NewReader(snappy.Encode(nil, raw)))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Encoding", "snappy")
	req.Header.Set("Content-Type", "application/x-protobuf")
	req.Header.Set("X-Prometheus-Remote-Write-Version", "0.1.0")
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if text, _ := io.ReadAll(resp.Body); resp.StatusCode/100 != 2 {
		return fmt.Errorf("remote write: %s: %s", resp.Status, text)
	}
	return nil
}

// reply is what a query answered.
type reply struct {
	Status, Error, ErrorType string
	Warnings, Infos          []string
	Data                     struct {
		ResultType string
		Result     json.RawMessage
	}
}

// fetch asks a query; an answer that is an error is an answer, too.
func fetch(base, path string, form url.Values) (*reply, error) {
	resp, err := client.PostForm(base+path, form)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	var r reply
	if err := json.NewDecoder(resp.Body).Decode(&r); err != nil {
		return nil, fmt.Errorf("%s: not the JSON of the query API: %w", resp.Status, err)
	}
	return &r, nil
}

func ask(base, path string, form url.Values) (parser.Value, *reply, error) {
	r, err := fetch(base, path, form)
	if err != nil {
		return nil, nil, err
	}
	if r.Status != "success" {
		return nil, nil, fmt.Errorf("%s", r.Error)
	}
	v, err := valueOf(r.Data.ResultType, r.Data.Result)
	return v, r, err
}

// point is a pair of time and value; a float is sent as text.
type point struct {
	T int64
	S string
	F float64
}

func (p *point) UnmarshalJSON(b []byte) error {
	var at float64
	if err := json.Unmarshal(b, &[]any{&at, &p.S}); err != nil {
		return err
	}
	p.T = int64(math.Round(at * 1000))
	p.F, _ = strconv.ParseFloat(p.S, 64) // of a string it is not asked
	return nil
}

type row struct {
	Metric                map[string]string
	Value                 point
	Values                []point
	Histogram, Histograms json.RawMessage
}

func valueOf(kind string, raw json.RawMessage) (parser.Value, error) {
	if kind == "scalar" || kind == "string" {
		var p point
		err := json.Unmarshal(raw, &p)
		if kind == "string" {
			return promql.String{T: p.T, V: p.S}, err
		}
		return promql.Scalar{T: p.T, V: p.F}, err
	}
	var rows []row
	if err := json.Unmarshal(raw, &rows); err != nil {
		return nil, err
	}
	vector, matrix := promql.Vector{}, promql.Matrix{}
	for _, r := range rows {
		if r.Histogram != nil || r.Histograms != nil {
			return nil, fmt.Errorf("a native histogram, which this JSON has without its schema")
		}
		series := promql.Series{Metric: labels.FromMap(r.Metric)}
		for _, p := range r.Values {
			series.Floats = append(series.Floats, promql.FPoint{T: p.T, F: p.F})
		}
		matrix = append(matrix, series)
		vector = append(vector, promql.Sample{Metric: series.Metric, T: r.Value.T, F: r.Value.F})
	}
	if kind == "vector" {
		return vector, nil
	}
	return matrix, nil
}
