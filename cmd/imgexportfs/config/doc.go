// Package config reads the configuration file: settings by the names of flags, and what
// the bundles of images hold beyond the image. It knows the form of the file alone; which
// settings there are, and what their values mean, is the caller's business.
//
// Every error begins with FILE:LINE.
package config
