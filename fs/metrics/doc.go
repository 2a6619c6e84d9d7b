// Package metrics counts what a mount does and shows it, with what is known of
// its site and its engine, in the text format of Prometheus.
//
//	Metrics ─ requests.go  counters and histograms, which requests add to
//	        └ state.go     gauges and counters that others keep, read when shown
//
// docs/monitoring.md says what each metric means.
package metrics
