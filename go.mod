module github.com/till-sh/till

go 1.26
