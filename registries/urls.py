app_name = "registries"
urlpatterns = []
