export STARTED=yes
