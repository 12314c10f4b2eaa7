mkdir -p "$SERVICE_HOME/data"
