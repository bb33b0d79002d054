package main

import "github.com/till-sh/till/scanner/report"

// printable makes text that may come from a repository fit for a terminal.
func printable(s string) string { return report.Printable(s) }
