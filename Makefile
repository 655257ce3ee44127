# Signalbox: `make help` lists the targets.
SHELL := /bin/bash
.DEFAULT_GOAL := help

GO       ?= go
BIN      := bin/signalbox
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
# Without symbol tables and DWARF the binary is a third smaller and links faster; panics keep their
# stack traces. make debug keeps them for a debugger or a profiler of machine code.
LDFLAGS  := -s -w -X main.version=$(VERSION)
UI_SRC   := $(shell find web/src web/public web/index.html web/package.json web/vite.config.ts -type f 2>/dev/null)
UI_OUT   := internal/webui/dist/index.html
TOOL     := $(GO) tool -modfile=tools/go.mod

.PHONY: help
help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  \033[1m%-12s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run demo
run: build ## Build everything and start the demo on http://localhost:4300
	$(BIN) demo
demo: run

.PHONY: build
build: $(UI_OUT) ## Build the web UI and the binary into bin/
	$(GO) build -ldflags '$(LDFLAGS)' -o $(BIN) ./cmd/signalbox

.PHONY: debug
debug: $(UI_OUT) ## Build the binary with what a debugger needs
	$(GO) build -ldflags '-X main.version=$(VERSION)' -o $(BIN) ./cmd/signalbox

.PHONY: ui
ui: $(UI_OUT) ## Build the web UI only
$(UI_OUT): web/node_modules/.package-lock.json $(UI_SRC)
	cd web && npm run --silent build
web/node_modules/.package-lock.json: web/package-lock.json
	cd web && PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 ../scripts/retry.sh npm ci --no-audit --no-fund --loglevel=error
	@touch $@

.PHONY: test test-go test-ui test-browser
test: test-go test-ui test-browser ## Run every test: Go (with the race detector), UI, real browser
test-go: $(UI_OUT)
	scripts/test-go.sh
test-ui: $(UI_OUT)
	cd web && npm run --silent typecheck && npm run --silent test && npm run --silent size
test-browser: $(UI_OUT)
	scripts/test-browser.sh

.PHONY: check
check: lint gen-check vulnerable test suites ## What CI runs: format, lint, generated files clean, all tests

.PHONY: vulnerable
vulnerable: ## Look for known vulnerabilities, where their lists can be reached
	scripts/vulnerable.sh

.PHONY: suites
suites: build ## Run public suites against the binary, the short part (make prove runs all)
	cd test/suites && $(GO) test -short ./...

.PHONY: lint fmt
lint: $(UI_OUT) ## Check format and lint, Go and UI
	$(TOOL) golangci-lint run ./...
	cd web && npm run --silent lint
fmt: web/node_modules/.package-lock.json ## Format Go and UI sources
	$(TOOL) golangci-lint fmt ./...
	cd web && npm run --silent format

.PHONY: gen gen-check
gen: web/node_modules/.package-lock.json ## Regenerate generated files (OpenAPI, UI types, references)
	$(GO) test ./internal/api -run TestTheCommittedDescriptionIsWhatIsServed -update -count=1
	$(GO) test ./internal/cli ./internal/config -run TestReferenceIsCurrent -update -count=1
	cd web && npm run --silent gen
gen-check: gen
	@git diff --exit-code --stat -- internal/api/openapi.json docs/reference web/src/api || { echo "generated files were stale: commit the result of 'make gen'"; exit 1; }

.PHONY: bench
bench: build ## Load a fresh server and print units/s, CPU, RSS and disk per unit
	scripts/bench.sh

.PHONY: prove
prove: build ## Long proofs: 200 kill -9 cycles, 1,000 timed pages, 10,000 SLOs under load, fuzzing
	scripts/prove.sh

.PHONY: clean
clean: ## Remove build output and demo data
	rm -rf bin data dist web/node_modules internal/webui/dist/*
