# The verbs of this project; "make help" lists them.
#
# Tools are built into bin/ from the versions pinned here, nothing is installed
# for the user. Debian packages come through .ci/packages, which says what it does.

SQLC          := bin/sqlc-v1.31.1
TEMPL         := bin/templ-v0.3.1001
GOLANGCI_LINT := bin/golangci-lint-v2.15.0
GOVULNCHECK   := bin/govulncheck-v1.9.0

$(SQLC):          tool = github.com/sqlc-dev/sqlc/cmd/sqlc
$(TEMPL):         tool = github.com/a-h/templ/cmd/templ
$(GOLANGCI_LINT): tool = github.com/golangci/golangci-lint/v2/cmd/golangci-lint
$(GOVULNCHECK):   tool = golang.org/x/vuln/cmd/govulncheck

FUZZTIME ?= 30s
CASES ?= 1000000

.PHONY: help
help: ## list the verbs
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

.PHONY: run
run: ## install what is missing, build, and run the platform with demonstration data
	@.ci/packages run
	@$(MAKE) --no-print-directory build
	@exec bin/roamwerk dev --demo=true

.PHONY: build
build: ## build bin/roamwerk
	go build -buildvcs=false -trimpath -o bin/roamwerk ./cmd/roamwerk

.PHONY: setup
setup: ## install what the tests need: PostgreSQL, Redis, Chromium, xmllint, pdftoppm
	@.ci/packages test

.PHONY: test
test: setup static ## all that must hold before a commit: static checks, then the tests with the race detector
	go test -race -timeout 20m ./...

.PHONY: check
check: test vuln ## test, and known vulnerabilities

.PHONY: static
static: generated lint

.PHONY: generated
generated: $(SQLC) $(TEMPL) # is the generated code that of its sources?
	$(SQLC) diff
	@for f in $$(find web -name '*.templ'); do \
		$(TEMPL) generate -f $$f -stdout 2>/dev/null | cmp -s - $${f%.templ}_templ.go || { echo "$$f: run make generate"; exit 1; }; \
	done

.PHONY: lint
lint: $(GOLANGCI_LINT) # gofmt and go vet are among its linters
	$(GOLANGCI_LINT) run

.PHONY: vuln
vuln: $(GOVULNCHECK)
	@out=$$($(GOVULNCHECK) ./... 2>&1); code=$$?; echo "$$out"; \
	case "$$out" in *"fetching vulnerabilities"*) echo "NOT checked: the list of vulnerabilities cannot be reached" ;; *) exit $$code ;; esac

.PHONY: generate
generate: $(SQLC) $(TEMPL) ## generate code from queries/*.sql and *.templ
	$(SQLC) generate
	$(TEMPL) generate

.PHONY: bench
bench: setup ## run the benchmarks
	go test -run '^$$' -bench . -benchmem -timeout 60m ./...

.PHONY: deep
deep: ## price CASES (1000000) made-up CDRs by the engine and by the letter, by its own arithmetic and by decimals, and from their explanations
	go test ./billing -timeout 0 -v -run '^Test(RateIsLiteral|RateArithmetic|Replay)$$' -args -cases $(CASES)

.PHONY: mutate
mutate: ## change each rule of pricing, one at a time, and show which test notices
	go run ./cmd/mutate

.PHONY: conformance
conformance: setup ## run the tests that cite obligations of OCPI and write docs/conformance.md
	go run ./cmd/conformance

.PHONY: fuzz
fuzz: ## fuzz each target for FUZZTIME (30s)
	@grep -rn --include='*_test.go' '^func Fuzz' [a-z]* | sed 's/^\(.*\)\/[^/]*:[0-9]*:func \(Fuzz[A-Za-z0-9_]*\).*/\1 \2/' | \
	while read -r folder target; do \
		echo "== $$folder $$target"; \
		go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 2s "./$$folder" </dev/null || exit 1; \
	done

# bin/NAME-VERSION, built in a folder of its own: only what is complete gets the name.
$(SQLC) $(TEMPL) $(GOLANGCI_LINT) $(GOVULNCHECK):
	CGO_ENABLED=0 GOBIN=$(CURDIR)/$@.new go install $(tool)@$(lastword $(subst -v, v,$@))
	@mv $@.new/* $@ && rmdir $@.new
