package ui

import (
	"strings"
	"testing"
)

func TestScaleEndsAboveTheHighestBar(t *testing.T) {
	for most, want := range map[float64][2]float64{0: {1, 1}, 1: {1, 1}, 3: {3, 1}, 17: {20, 5}, 99: {100, 25}, 1234: {1500, 500}} {
		top, step := Bars{Bars: []Bar{{Value: most}}}.scale()
		if top != want[0] || step != want[1] {
			t.Errorf("%v: up to %v in steps of %v, want %v", most, top, step, want)
		}
	}
}

func TestChartSaysTheSameAsItsTable(t *testing.T) {
	c := Bars{ID: "c", Title: "Sessions & more", Head: "Day", Values: "Sessions", Tick: func(f float64) string { return English.Int(int64(f)) },
		Bars: []Bar{{Label: "1", Name: "1 Nov", Value: 3, Text: "3"}, {Label: "2", Name: "2 Nov", Text: "0"}}}
	var b strings.Builder
	if err := BarChart(English, c).Render(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	html := b.String()
	for _, want := range []string{`<title id="c-title">Sessions &amp; more</title>`, `<title>1 Nov: 3</title>`, `<th scope="row">2 Nov</th><td class="num">0</td>`} {
		if !strings.Contains(html, want) {
			t.Errorf("%s is missing in %s", want, html)
		}
	}
	if strings.Contains(html, "style=") || strings.Count(html, "<rect") != 1 {
		t.Errorf("inline style, or a bar of no height: %s", html)
	}
}
