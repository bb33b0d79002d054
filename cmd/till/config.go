package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
)

func newConfig(e *env) *cobra.Command {
	var o output
	cmd := &cobra.Command{
		Use:   "config [PATH]",
		Short: "Show the effective configuration, and where each value comes from",
		Long:  "Shows what applies to PATH (default: this folder), after all configuration files, the environment and the flags.",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			where := "."
			if len(args) == 1 {
				where = args[0]
			}
			t := &target{}
			var err error
			if t.config, t.dirs, t.rel, err = folderConfig([]string{where}); err != nil {
				return err
			}
			s, err := o.load(e, t)
			if err != nil {
				return err
			}
			if s.err != nil {
				return s.err
			}
			name := t.rel(filepath.ToSlash(where))
			if info, err := os.Stat(where); err == nil && info.IsDir() {
				name += "/" // what holds inside
			}
			if name == "./" {
				name = ""
			}
			for _, l := range s.tree.For(name).Lines() {
				fmt.Fprintln(e.stdout, printable(l.String()))
			}
			added := 0
			for _, p := range s.catalogue.Providers {
				for _, r := range p.Rules {
					if _, ok := s.tree.RuleOrigin(r.ID); ok {
						added++
					}
				}
			}
			fmt.Fprintf(e.stderr, "rules %s; %d added by configuration; allowed: %d\n", s.catalogue.Version, added, len(s.tree.Ignore().Entries))
			for _, w := range s.tree.Warnings() {
				fmt.Fprintf(e.stderr, "till: warning: %s\n", printable(w))
			}
			return nil
		},
	}
	cmd.Flags().StringVarP(&o.config, "config", "c", "", "read this configuration `FILE` as well")
	cmd.Flags().StringArrayVar(&o.skip, "exclude-rule", nil, "as of till scan")
	cmd.Flags().StringVar(&o.failOn, "fail-on", "", "as of till scan")
	cmd.Flags().StringVar(&o.maxSize, "max-file-size", "", "as of till scan")
	return cmd
}
