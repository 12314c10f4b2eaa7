<?php // left out by --exclude
