module example.com/server

go 1.23

require golang.org/x/net v0.31.0
