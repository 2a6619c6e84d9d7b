package main

import (
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"fmt"
	"path"
	"runtime/debug"
	"strings"
	"time"
)

// bill is a document of CycloneDX 1.5, as far as it is used here.
type bill struct {
	Format       string       `json:"bomFormat"`
	SpecVersion  string       `json:"specVersion"`
	SerialNumber string       `json:"serialNumber"`
	Version      int          `json:"version"`
	Metadata     metadata     `json:"metadata"`
	Components   []component  `json:"components"`
	Dependencies []dependency `json:"dependencies"`
}

type metadata struct {
	Timestamp string    `json:"timestamp"`
	Component component `json:"component"`
}

type component struct {
	Ref        string     `json:"bom-ref"`
	Type       string     `json:"type"`
	Name       string     `json:"name"`
	Version    string     `json:"version"`
	PackageURL string     `json:"purl,omitempty"`
	Hashes     []hash     `json:"hashes,omitempty"`
	Properties []property `json:"properties,omitempty"`
}

type hash struct {
	Algorithm string `json:"alg"`
	Content   string `json:"content"`
}

type property struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type dependency struct {
	Ref       string   `json:"ref"`
	DependsOn []string `json:"dependsOn"`
}

// billOf lists the modules of a program and Go's own library, which has vulnerabilities
// of its own. Which module needs which other one the program does not say, so all are its
// own dependencies.
func billOf(info *buildinfo.BuildInfo, sum [sha256.Size]byte, version string, at time.Time) *bill {
	program := component{
		Ref: "program", Type: "application", Name: path.Base(info.Path), Version: version,
		Hashes: []hash{{"SHA-256", hex.EncodeToString(sum[:])}},
	}
	for _, setting := range info.Settings {
		program.Properties = append(program.Properties, property{"go:build:" + setting.Key, setting.Value})
	}
	components := []component{module("std", strings.TrimPrefix(info.GoVersion, "go"), "")}
	for _, dep := range info.Deps {
		components = append(components, linked(dep))
	}
	needs := dependency{Ref: program.Ref}
	for _, c := range components {
		needs.DependsOn = append(needs.DependsOn, c.Ref)
	}
	return &bill{
		Format: "CycloneDX", SpecVersion: "1.5", SerialNumber: serialNumber(sum, version), Version: 1,
		Metadata:   metadata{Timestamp: at.UTC().Format(time.RFC3339), Component: program},
		Components: components, Dependencies: []dependency{needs},
	}
}

// linked is the module that has been linked for dep: another one if go.mod replaces it.
func linked(dep *debug.Module) component {
	if dep.Replace != nil {
		dep = dep.Replace
	}
	return module(dep.Path, dep.Version, dep.Sum)
}

// module is a module of Go. Its checksum, of a list of its files, is no hash of one file,
// so it is a property.
func module(name, version, sum string) component {
	// A package URL is in small letters, and + has a meaning of its own in URLs.
	url := "pkg:golang/" + strings.ToLower(name) + "@" + strings.ReplaceAll(version, "+", "%2B")
	c := component{Ref: url, Type: "library", Name: name, Version: version, PackageURL: url}
	if sum != "" {
		c.Properties = []property{{"go:sum", sum}}
	}
	return c
}

// serialNumber identifies a document by what it is of: a UUID of version 8, the one for
// numbers of one's own making.
func serialNumber(sum [sha256.Size]byte, version string) string {
	id := sha256.Sum256(append(sum[:], version...))
	id[6] = id[6]&0x0f | 0x80
	id[8] = id[8]&0x3f | 0x80
	return fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:16])
}
