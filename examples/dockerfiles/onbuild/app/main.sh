cat /srv/mode /srv/admin-mode
