// Package uitest drives a real Chromium over the pages of the portals, and judges them by axe.
//
// One browser serves all tests of a process. A test that has no Chromium fails and says which command helps.
package uitest

import (
	"context"
	_ "embed"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
)

//go:embed axe.min.js
var axe string

// limit bounds one step in the browser.
const limit = 30 * time.Second

// Browser is a running Chromium.
type Browser struct{ ctx context.Context }

// shared is the browser of this process, started by the first test that asks.
var shared struct {
	sync.Mutex
	browser *Browser
	stop    func()
}

// Run runs the tests of a package and closes the browser after them: os.Exit(uitest.Run(m)) is their TestMain.
func Run(m *testing.M) int {
	code := m.Run()
	if shared.stop != nil {
		shared.stop()
	}
	return code
}

// Open returns the browser of this process, for packages whose TestMain is Run.
func Open(t testing.TB) *Browser {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if shared.browser == nil {
		shared.browser = start(t)
	}
	return shared.browser
}

func start(t testing.TB) *Browser {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		t.Fatal("no Chromium for tests\nrun: make setup")
	}
	folder, err := os.MkdirTemp("", "roamwerk-uitest-")
	if err != nil {
		t.Fatal(err)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.UserDataDir(folder), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-dev-shm-usage", true),
	)
	allocated, stopProcess := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, stop := chromedp.NewContext(allocated)
	shared.stop = func() {
		stop()
		stopProcess()
		_ = os.RemoveAll(folder) // Chromium may still be writing to it: then it stays in the temporary folder
	}
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		t.Fatalf("start Chromium: %v", err)
	}
	return &Browser{ctx}
}

// Tab is a tab with cookies of its own.
type Tab struct {
	testing.TB
	ctx  context.Context
	base string
}

// Tab opens a tab on a site; it closes with the test.
func (b *Browser) Tab(t testing.TB, base string) *Tab {
	t.Helper()
	ctx, closeTab := chromedp.NewContext(b.ctx, chromedp.WithNewBrowserContext())
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		t.Fatalf("open tab: %v", err)
	}
	t.Cleanup(closeTab)
	return &Tab{t, ctx, base}
}

// run does something in a tab and returns what it gives.
func run[T any](t *Tab, action chromedp.Action[T]) T {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.ctx, limit)
	defer cancel()
	result, err := chromedp.Run(ctx, action)
	if err != nil {
		t.Fatalf("browser: %v", err)
	}
	return result
}

// Cookies gives the tab the cookies of somebody.
func (t *Tab) Cookies(cookies ...*http.Cookie) {
	t.Helper()
	site, err := url.Parse(t.base)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cookies {
		run(t, chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
			_, err := cdp.Call(ctx, tab, network.SetCookie, network.SetCookieParams{Name: c.Name, Value: c.Value, Domain: site.Hostname(), Path: "/"})
			return err
		}))
	}
}

// Size sets the size of the window in CSS pixels.
func (t *Tab) Size(width, height int64) {
	t.Helper()
	run(t, chromedp.EmulateViewport(width, height))
}

// Open loads a page of the site.
func (t *Tab) Open(path string) {
	t.Helper()
	run(t, chromedp.Navigate(t.base+path))
	run(t, chromedp.WaitReady("#main"))
}

// Keys types text into whatever has the focus; the runes of package kb are keys.
func (t *Tab) Keys(keys string) {
	t.Helper()
	run(t, chromedp.KeyEvent(keys))
}

// Click clicks on the element of a selector.
func (t *Tab) Click(selector string) {
	t.Helper()
	run(t, chromedp.Click(selector))
}

// Eval evaluates JavaScript, waiting for a promise.
func Eval[T any](t *Tab, script string) T {
	t.Helper()
	return run(t, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
}

// WaitFor waits until JavaScript says true.
func (t *Tab) WaitFor(condition string) {
	t.Helper()
	until := time.Now().Add(10 * time.Second)
	for !Eval[bool](t, "Boolean("+condition+")") {
		if time.Now().After(until) {
			t.Fatalf("never true: %s", condition)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// tags are the rules of axe that a page has to pass.
var tags = []string{"wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"}

// CheckPage fails the test if axe finds anything on the page, or if the page broke its content security policy.
func (t *Tab) CheckPage(name string) {
	t.Helper()
	if !Eval[bool](t, "typeof axe === 'object'") {
		run(t, chromedp.Evaluate[chromedp.Void](axe))
	}
	for _, f := range Eval[[]string](t, `axe.run(document, {runOnly: ["`+strings.Join(tags, `","`)+`"], resultTypes: ["violations"], iframes: false}).then(r =>
		r.violations.flatMap(v => v.nodes.map(n => v.id + ": " + n.target + ": " + n.failureSummary)))`) {
		t.Errorf("%s: axe: %s", name, f)
	}
	for _, v := range Eval[[]string](t, "window.cspViolations ?? []") {
		t.Errorf("%s: content security policy: %s", name, v)
	}
}

// CheckWidth fails the test if the page scrolls sideways.
func (t *Tab) CheckWidth(name string) {
	t.Helper()
	wide := Eval[string](t, `(() => {
		const w = document.documentElement.clientWidth;
		if (document.documentElement.scrollWidth <= w) return "";
		const over = [...document.querySelectorAll("body *")].filter(e => (e.getBoundingClientRect().right > w + 1 || e.scrollWidth > w + 1) && !e.closest(".table-wrap, .tabs, .side nav"));
		return document.documentElement.scrollWidth + " of " + w + " pixels: " + over.slice(0, 3).map(e => e.outerHTML.slice(0, 120)).join(" | ");
	})()`)
	if wide != "" {
		t.Errorf("%s scrolls sideways: %s", name, wide)
	}
}

// Screenshot is a picture of the whole page as PNG.
func (t *Tab) Screenshot() []byte {
	t.Helper()
	return run(t, chromedp.FullScreenshot(100))
}
