// not for the image
