// Command conformance writes docs/conformance.md: each obligation of OCPI that the platform has, the tests that cite it, and
// how they ended.
//
// The obligations stand in docs/conformance.tsv. A test cites one by its id, in a comment of the test function, in the name
// of a case, or in a table that the test reads: "CDR-07", "CRED-01 to CRED-07", "CRED-01…07" or "TOK-11/12".
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
)

const (
	itemsFile = "docs/conformance.tsv"
	tableFile = "docs/conformance.md"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdin, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "conformance:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdin io.Reader, stderr io.Writer) error {
	flags := flag.NewFlagSet("conformance", flag.ContinueOnError)
	flags.SetOutput(stderr)
	root := flags.String("C", ".", "root of the repository")
	from := flags.String("results", "", "file with the output of go test -json, - for standard input; without it the tests are run")
	if err := flags.Parse(args); err != nil {
		return err
	}
	chapters, err := readItems(filepath.Join(*root, itemsFile))
	if err != nil {
		return err
	}
	citations, err := scan(*root, chapters)
	if err != nil {
		return err
	}
	results, err := readResults(ctx, *from, *root, citations, stdin, stderr)
	if err != nil {
		return err
	}
	table := chapters.table(citations, results)
	if err := os.WriteFile(filepath.Join(*root, tableFile), table, 0o644); err != nil {
		return err
	}
	if failed := results.failed(); len(failed) > 0 {
		return fmt.Errorf("failed: %s", strings.Join(failed, ", "))
	}
	return nil
}

// readResults reads how the tests ended, or runs all packages with a citation to find out.
func readResults(ctx context.Context, from, root string, citations []citation, stdin io.Reader, stderr io.Writer) (results, error) {
	switch from {
	case "":
	case "-":
		return parseResults(stdin)
	default:
		output, err := os.ReadFile(from)
		if err != nil {
			return nil, err
		}
		return parseResults(bytes.NewReader(output))
	}
	test := exec.CommandContext(ctx, "go", append([]string{"test", "-json"}, packages(citations)...)...)
	test.Dir, test.Stderr = root, stderr
	output, err := test.Output()
	if len(output) == 0 && err != nil {
		return nil, fmt.Errorf("go test: %w", err)
	}
	return parseResults(bytes.NewReader(output)) // a failed test is in the output
}
