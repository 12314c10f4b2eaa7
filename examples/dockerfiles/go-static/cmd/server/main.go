package main

var version, commit string

func main() { println(version, commit) }
