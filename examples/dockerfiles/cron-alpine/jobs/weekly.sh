#!/bin/sh
echo weekly
