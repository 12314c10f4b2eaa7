#!/bin/sh
test -d "$SERVICE_HOME"
