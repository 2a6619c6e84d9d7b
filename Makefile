# make alone says what there is to make.

PREFIX  ?= /usr/local
# mount(8) looks for its helpers here and nowhere else.
SBINDIR ?= /sbin
PROGRAM := imgexportfs
BINARY  ?= $(PROGRAM)
# A build of the program that runs on this host: it prints its man pages and completion.
DOCS_BY ?= $(abspath $(BINARY))
SHARE    = $(DESTDIR)$(PREFIX)/share
DOC      = $(SHARE)/doc/$(PROGRAM)
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null)
# The packages that need no mount and start goroutines, as tablesdump and xcat/noderange do
# not: they are tested again under the race detector and on one processor.
UNIT     = ./bundle/... ./cmd/... ./fs/... ./xcat ./xcat/db

# The packages: for which architectures, as Go names them, and what their test calls.
DIST    ?= dist
ARCHS   ?= $(shell go env GOHOSTARCH)
PACKAGE_TOOLS := mmdebstrap:mmdebstrap systemd-nspawn:systemd-container rpm:rpm cpio:cpio

# Programs for developers, in a module of their own: to build the program, none of them is needed.
TOOLS := go tool -modfile=packaging/tools/go.mod

# The tests that go on for as long as SOAK says, in minutes, or try all cases.
SOAKING = WhicheverCallFails|WhateverASourceDoes|RandomWorld|KilledAtAnyMoment|CutAnywhere|VersionsOfALargeTree|OfWhichAnyCallFails|ADiskThatFails|FewAddresses|WhateverTheRuntime|WhoseClockJumps|Huge(NumberOf|Directories|Lists)|DeepTrees|AnotherUserCannot|MoreThanATebibyte|TreesDeeper|UnderLoad|LeaveNothing|KeepsItsRules|KeepTheirRules|DoesWhatItsModelDoes|OfACrowd|GrowWithTheSite

# The tests that run large programs on a mount, if CLIENTS is set.
CLIENT_TESTS = SSHCopies|Updatedb|Download|Restic|Borg|Samba|Ganesha

# The tests of the mount in which most goroutines of a server meet: make test runs them a second
# time, on a program with the race detector.
RACING = UnderLoad|RandomWorld|BusySources|KeepsItsName|ReadsThatHang|BesideEachOther|ParallelReaders|TwoServers|OpensAndCloses|InterruptedReader|Signals?Unmount|UmountCommand|StatusTells|ACopyRaises|MetricsAreServed|Hangup|ErrorOfAChangedBundle|AChangedSourceIs

# What the tests and the demo call, as PROGRAM:PACKAGE of Debian.
DEMO_TOOLS := cpio:cpio fusermount3:fuse3
TEST_TOOLS := $(DEMO_TOOLS) rsync:rsync setfattr:attr busybox:busybox bsdtar:libarchive-tools python3:python3 gcc:gcc \
	mariadbd:mariadb-server-core my_print_defaults:mariadb-client-core pg_ctlcluster:postgresql pigz:pigz zstd:zstd curl:curl \
	sshd:openssh-server ssh:openssh-client systemd-analyze:systemd zsh:zsh fish:fish mandoc:mandoc \
	zip:zip unzip:unzip inotifywait:inotify-tools
# What make clients needs besides. The package of ganesha's VFS brings ganesha.
CLIENT_TOOLS := nginx:nginx-light restic:restic borg:borgbackup updatedb:plocate \
	smbd:samba smbclient:smbclient ganesha.nfsd:nfs-ganesha-vfs nfs-cp:libnfs-utils
BENCH_TOOLS := $(DEMO_TOOLS) pigz:pigz zstd:zstd restic:restic rsync:rsync

export CGO_ENABLED = 0

.PHONY: help build test race soak fuzz clients mutants lint bench demo clean install package package-test \
	test-tools demo-tools bench-tools package-tools FORCE
.DEFAULT_GOAL := help

help: ## say what there is to make
	@grep -hE '^[a-z-]+:.* ## ' $(MAKEFILE_LIST) | sort | awk -F ':.* ## ' '{ printf "  make %-12s  %s\n", $$1, $$2 }'

build: $(PROGRAM) ## build the program, one static file

$(PROGRAM): FORCE
	go build -trimpath -ldflags "-s -w -X main.version=$(VERSION)" -o $@ ./cmd/imgexportfs

# No test is vetted here, for lint vets all.
TEST = go test -vet=off -count=1

# The tests of the mount take longest, so they come first; the other packages run beside them.
# Where nothing is compiled yet, what the tests leave of the processors is used to compile for
# the race detector. What runs a second time, with the race detector or on one processor, waits
# often, so the mount and the units go beside each other.
test: test-tools ## run every test; as root, install what they need
	CGO_ENABLED=1 nice -n 19 go build -race -o /dev/null ./cmd/imgexportfs & \
		$(TEST) -timeout 40m -parallel 6 ./integration ./...; code=$$?; wait; exit $$code
	IMGEXPORTFS_RACE=1 $(TEST) -timeout 20m -parallel 4 -run '$(RACING)' ./integration & \
		{ CGO_ENABLED=1 $(TEST) -race $(UNIT) && GOMAXPROCS=1 $(TEST) -p 2 $(UNIT); }; code=$$?; wait $$! && exit $$code
	@if grep ' - fuse\.imgexportfs ' /proc/self/mountinfo | grep -E 'imgexportfs-test-|/Test'; then echo "FAIL: the tests left mounts" >&2; exit 1; fi

race: test-tools ## run nearly all tests of the mount on a program with the race detector
	IMGEXPORTFS_RACE=1 $(TEST) -timeout 40m -parallel 6 -skip 'Huge|HundredThousand' ./integration

soak: test-tools ## faults, kills, load, models and a random world for MINUTES=10 each
	SOAK=$(or $(MINUTES),10) go test -count=1 -timeout 0 -v -run '$(SOAKING)' ./integration ./bundle/blocks ./fs ./xcat/noderange

fuzz: ## run each fuzz target for FUZZTIME=30s
	@for package in $$(grep -rl --include='*_test.go' '^func Fuzz' . | xargs -n 1 dirname | sort -u); do \
		for target in $$(go test -list '^Fuzz' $$package | grep '^Fuzz'); do \
			echo "$$package $$target"; \
			go test -run '^$$' -fuzz "^$$target$$" -fuzztime $(or $(FUZZTIME),30s) -fuzzminimizetime 1x $$package || exit 1; \
		done; \
	done

clients: test-tools ## copy, serve and back up a mount with large programs: nginx, restic, borg, Samba, NFS
	$(call need,$(CLIENT_TOOLS))
	CLIENTS=1 IMGEXPORTFS_REQUIRE_FUSE=1 go test -count=1 -timeout 30m -v -run '$(CLIENT_TESTS)' ./integration

mutants: test-tools ## break the code in one place at a time and run the tests that should notice
	go run ./integration/mutants $(if $(ONLY),-only '$(ONLY)')

lint: ## gofmt, go vet, staticcheck, and who may import whom
	@unformatted=$$(gofmt -l $$(git ls-files --cached --others --exclude-standard '*.go')); \
		if [ -n "$$unformatted" ]; then echo "gofmt would change:"; echo "$$unformatted"; exit 1; fi
	go vet ./...
	$(TOOLS) staticcheck ./...
	go test -count=1 ./integration/layers

bench: bench-tools build ## compare with what imgexport does; RUNS=5 each, TREE=/usr
	go run ./integration/bench -binary ./$(PROGRAM) -runs $(or $(RUNS),5) -tree $(or $(TREE),/usr)

demo: demo-tools build ## build, make a small site, mount it, export from it
	integration/demo/demo.sh ./$(PROGRAM)

clean: ## remove what was built, and the demo's site
	rm -rf $(PROGRAM) demo-site $(DIST)

package: ## a .deb and an .rpm in dist/, for this architecture or ARCHS
	packaging/package.sh $(DIST) $(ARCHS)

package-test: package-tools package ## install, boot, use and remove the packages in a clean Debian, SUITE=bookworm
	packaging/test/run.sh $(DIST) $(SUITE)

install: $(BINARY) ## install below PREFIX=/usr/local, with units, links for mount(8), man pages, completion, docs
	install -D -m 0755 $(BINARY) $(DESTDIR)$(PREFIX)/bin/$(PROGRAM)
	install -d $(DESTDIR)$(SBINDIR) $(DESTDIR)$(PREFIX)/lib/systemd/system
	ln -sf $(PREFIX)/bin/$(PROGRAM) $(DESTDIR)$(SBINDIR)/mount.$(PROGRAM)
	ln -sf $(PREFIX)/bin/$(PROGRAM) $(DESTDIR)$(SBINDIR)/mount.fuse.$(PROGRAM)
	sed 's|/usr/bin/$(PROGRAM)|$(PREFIX)/bin/$(PROGRAM)|' packaging/systemd/$(PROGRAM)@.service \
		> $(DESTDIR)$(PREFIX)/lib/systemd/system/$(PROGRAM)@.service
	for page in $(PROGRAM).1 $(PROGRAM).yaml.5 mount.$(PROGRAM).8; do \
		install -d $(SHARE)/man/man$${page##*.} && \
		$(DOCS_BY) man $$page > $(SHARE)/man/man$${page##*.}/$$page || exit 1; \
	done
	install -d $(SHARE)/bash-completion/completions $(SHARE)/zsh/site-functions $(SHARE)/fish/vendor_completions.d
	$(DOCS_BY) completion bash > $(SHARE)/bash-completion/completions/$(PROGRAM)
	$(DOCS_BY) completion zsh > $(SHARE)/zsh/site-functions/_$(PROGRAM)
	$(DOCS_BY) completion fish > $(SHARE)/fish/vendor_completions.d/$(PROGRAM).fish
	ln -sf $(PROGRAM) $(SHARE)/bash-completion/completions/imgexport
	ln -sf $(PROGRAM).fish $(SHARE)/fish/vendor_completions.d/imgexport.fish
	install -d $(DOC)/docs $(DOC)/examples/systemd $(DOC)/examples/grafana $(DOC)/examples/prometheus
	install -m 0644 README.md CHANGELOG.md LICENSE $(DOC)
	install -m 0644 docs/*.md $(DOC)/docs
	install -m 0644 packaging/$(PROGRAM).yaml $(DOC)/examples
	install -m 0644 packaging/systemd/*mount $(DOC)/examples/systemd
	install -m 0644 packaging/grafana/*.json $(DOC)/examples/grafana
	install -m 0644 packaging/prometheus/alerts.yml $(DOC)/examples/prometheus

# Install the packages of the programs that are missing; say so to those who
# cannot.
define need
	@missing=; for pair in $(1); do \
		PATH=$$PATH:/usr/sbin:/sbin command -v $${pair%%:*} >/dev/null || missing="$$missing $${pair##*:}"; \
	done; \
	if [ -n "$$missing" ] && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "installing$$missing"; \
		export DEBIAN_FRONTEND=noninteractive; \
		apt-get install -y -q --no-install-recommends $$missing >/dev/null 2>&1 || \
			{ apt-get update -q >/dev/null && apt-get install -y -q --no-install-recommends $$missing >/dev/null; }; \
	elif [ -n "$$missing" ]; then \
		echo "not there, and only root with apt-get can install it:$$missing" >&2; \
	fi
endef

test-tools:
	$(call need,$(TEST_TOOLS))

demo-tools:
	$(call need,$(DEMO_TOOLS))

bench-tools:
	$(call need,$(BENCH_TOOLS))

package-tools:
	$(call need,$(PACKAGE_TOOLS))

FORCE:
