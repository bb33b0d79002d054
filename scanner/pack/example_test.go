package pack_test

import (
	"context"
	"fmt"
	"log"
	"sync/atomic"

	"github.com/till-sh/till/scanner/pack"
)

// Look at the bytes that are in no base: what a delta copies has been seen there.
func ExampleStore_Walk() {
	s, err := pack.Open("testdata/objects", pack.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()

	var files, size, seen atomic.Int64
	o := pack.WalkOptions{
		Types:   []pack.Type{pack.TypeBlob},
		OnError: func(c *pack.CorruptError) { log.Print(c) },
	}
	err = s.Walk(context.Background(), o, func(worker int, o *pack.Object) error {
		files.Add(1)
		size.Add(o.Size)
		if o.Base == nil {
			seen.Add(o.Size) // stored whole
			return nil
		}
		for _, op := range o.Ops() {
			if !op.Copied() {
				seen.Add(int64(len(o.Data[op.At : op.At+op.Len])))
			}
		}
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%d files of %d bytes, of which %d had to be looked at\n", files.Load(), size.Load(), seen.Load())
	// Output: 5 files of 11112 bytes, of which 3736 had to be looked at
}

// List the files of a commit.
func ExampleStore_Get() {
	s, err := pack.Open("testdata/objects", pack.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer s.Close()

	id, err := pack.ParseOID("472facf3992b371091679612163805ab526b746f")
	if err != nil {
		log.Fatal(err)
	}
	_, data, err := s.Get(id)
	if err != nil {
		log.Fatal(err)
	}
	commit, err := pack.ParseCommit(data)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s by %s, %d parent\n", commit.Message, commit.Author.Name, commit.NumParents())
	_, data, err = s.Get(commit.Tree)
	if err != nil {
		log.Fatal(err)
	}
	it := pack.IterTree(data, pack.SHA1)
	for it.Next() {
		e := it.Entry()
		fmt.Printf("%06o %s %s\n", e.Mode, e.OID, e.Name)
	}
	if it.Err() != nil {
		log.Fatal(it.Err())
	}
	// Output:
	// Append a line
	//  by A U Thor, 1 parent
	// 100644 b4f04f43841a9645a9faf665a65270ce2e8051b3 README
	// 040000 ec1435c144a686770cdc8e864007c4ec35698c19 docs
	// 100644 adbd6ad3cba8ce8be585f3be87b8106ed55dd255 numbers.txt
}
