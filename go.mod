module imgexportfs

// modernc.org/sqlite and golang.org/x/{sys,sync,term} ask for this version; older ones of them
// would only need 1.25, as pgx does. Any Go from 1.21 on fetches it by itself.
go 1.26.0

require (
	github.com/cpuguy83/go-md2man/v2 v2.0.7 // man pages from Markdown, as urfave/cli makes them
	github.com/docker/go-units v0.5.0 // sizes on the command line: 256MiB
	github.com/go-sql-driver/mysql v1.10.1 // MySQL and MariaDB, where most large sites keep their tables
	github.com/google/renameio/v2 v2.0.2 // files that are replaced as a whole or not at all
	github.com/hanwen/go-fuse/v2 v2.12.1 // the FUSE protocol and its inodes
	github.com/jackc/pgx/v5 v5.12.0 // PostgreSQL; its low level, which gives bytes as stored
	github.com/klauspost/compress v1.20.3 // deflate, several times as fast as the standard library
	github.com/klauspost/pgzip v1.3.0 // an independent reader of bundles in the tests
	github.com/moby/sys/mountinfo v0.7.2 // the kernel's table of mounts
	github.com/prometheus/client_golang v1.23.2 // metrics; with net/http 3.4 MB of program (16.3 to 19.7), 3 MB resident, 0.5 MB of them not shared
	github.com/prometheus/common v0.66.1 // the text form of metrics, for .imgexportfs/metrics
	github.com/schollz/progressbar/v3 v3.19.1 // the bar of export, with rate and time left
	github.com/spf13/pflag v1.1.0 // imgexport's command line: options anywhere, bundled, abbreviated
	github.com/urfave/cli/v2 v2.27.7 // commands, their flags and help
	github.com/xrash/smetrics v0.0.0-20240521201337-686a1a2994c1 // how alike two names are, as urfave/cli measures it, for "did you mean"
	go.uber.org/goleak v1.3.0 // goroutines that tests leave, by their stacks; only in tests
	go.yaml.in/yaml/v3 v3.0.4 // the configuration file, with the line of each value; yaml.v3 under its new maintainers
	golang.org/x/sync v0.24.0 // errgroup: listings on all cores
	golang.org/x/sys v0.49.0 // openat2, statfs, extended attributes, mounts
	golang.org/x/term v0.47.0 // whether standard error is a terminal
	golang.org/x/text v0.41.0 // letters without accents, as MySQL compares them
	modernc.org/sqlite v1.62.0 // xCAT's default database, without cgo
)

require github.com/prometheus/client_model v0.6.2

require (
	filippo.io/edwards25519 v1.2.0 // indirect
	github.com/beorn7/perks v1.0.1 // indirect
	github.com/cespare/xxhash/v2 v2.3.0 // indirect
	github.com/dustin/go-humanize v1.1.0 // indirect
	github.com/google/uuid v1.6.0 // indirect
	github.com/jackc/pgpassfile v1.0.0 // indirect
	github.com/jackc/pgservicefile v0.0.0-20240606120523-5a60cdf6a761 // indirect
	github.com/kr/text v0.2.0 // indirect
	github.com/mattn/go-isatty v0.0.24 // indirect
	github.com/mitchellh/colorstring v0.0.0-20190213212951-d06e56a500db // indirect
	github.com/munnerz/goautoneg v0.0.0-20191010083416-a7dc8b61c822 // indirect
	github.com/ncruces/go-strftime v1.1.0 // indirect
	github.com/prometheus/procfs v0.16.1 // indirect
	github.com/remyoudompheng/bigfft v0.0.0-20230129092748-24d4a6f8daec // indirect
	github.com/rivo/uniseg v0.4.7 // indirect
	github.com/russross/blackfriday/v2 v2.1.0 // indirect
	go.yaml.in/yaml/v2 v2.4.2 // indirect
	google.golang.org/protobuf v1.36.8 // indirect
	modernc.org/libc v1.80.1 // indirect
	modernc.org/mathutil v1.7.1 // indirect
	modernc.org/memory v1.12.1 // indirect
)
